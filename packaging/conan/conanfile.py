"""A recipe that builds the checkout that it is in. Not tried: see packaging/README.md."""
import os

from conan import ConanFile
from conan.tools.files import copy
from conan.tools.gnu import PkgConfigDeps
from conan.tools.meson import Meson, MesonToolchain


class Understudy(ConanFile):
    name = 'understudy'
    version = '0.1.0'
    license = 'Apache-2.0'
    description = 'Failover for LLM calls: structured concurrency with causes, on Boost.Asio'
    settings = 'os', 'compiler', 'build_type', 'arch'
    options = {'shared': [True, False], 'fPIC': [True, False]}
    default_options = {'shared': False, 'fPIC': True}
    package_type = 'library'

    def export_sources(self):
        top = os.path.join(self.recipe_folder, '..', '..')
        for pattern in ('include/*', 'lib/*', 'meson.build', 'meson_options.txt', 'packaging/*', 'LICENSE'):
            copy(self, pattern, top, self.export_sources_folder)

    def requirements(self):
        headers = {'transitive_headers': True}
        self.requires('boost/[>=1.81]', **headers)
        self.requires('simdjson/[>=3.0]', **headers)
        self.requires('openssl/[>=3.0]', **headers)
        self.requires('zlib/[>=1.2.11]')
        self.requires('zstd/[>=1.4]')
        self.requires('brotli/[>=1.0]')
        self.requires('tomlplusplus/[>=3.3]')

    def build_requirements(self):
        self.tool_requires('meson/[>=1.0.1]')

    def generate(self):
        PkgConfigDeps(self).generate()
        toolchain = MesonToolchain(self)
        for option in ('tests', 'benchmarks', 'tool'):
            toolchain.project_options[option] = 'disabled'
        toolchain.generate()

    def build(self):
        meson = Meson(self)
        meson.configure()
        meson.build()

    def package(self):
        Meson(self).install()
        copy(self, 'LICENSE', self.source_folder, os.path.join(self.package_folder, 'licenses'))

    def package_info(self):
        self.cpp_info.components['understudy'].libs = ['understudy']
        self.cpp_info.components['understudy'].set_property('cmake_target_name', 'understudy::understudy')
        self.cpp_info.components['understudy'].requires = [
            'boost::headers', 'simdjson::simdjson', 'openssl::openssl', 'zlib::zlib', 'zstd::zstd', 'brotli::brotlidec']
        self.cpp_info.components['understudy'].system_libs = ['pthread']
        self.cpp_info.components['testing'].libs = ['understudy_testing']
        self.cpp_info.components['testing'].requires = ['understudy']
