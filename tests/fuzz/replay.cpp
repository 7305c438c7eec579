// In place of libFuzzer, where there is none: runs the target once over each file of the folders given,
// whole and cut at each of its first bytes, and over nothing.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t inputs = 1;
  run("");
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string input{std::istreambuf_iterator<char>(file), {}};
      run(input);
      for (std::size_t cut = 0; cut < input.size() && cut < 512; ++cut) {
        run(input.substr(0, cut));
      }
      ++inputs;
    }
  }
  std::cout << inputs << " inputs\n";
}
