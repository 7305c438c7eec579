#include "understudy/llm/answer.hpp"

namespace understudy::llm {

AnswerBlock& Answer::block(AnswerBlock::Kind kind, std::size_t number) {
  if (!blocks.empty() && blocks.back().number == number) {
    return blocks.back();
  }
  const auto [place, fresh] = places_.try_emplace(number, blocks.size());
  return fresh ? blocks.emplace_back(kind, number) : blocks[place->second];
}

void Answer::add(const Event& event) {
  using Kind = AnswerBlock::Kind;
  if (std::holds_alternative<Retract>(event.body)) {
    *this = Answer();
  } else if (const auto* start = std::get_if<Start>(&event.body)) {
    *this = Answer();
    id = start->id;
    model = start->model;
  } else if (const auto* said = std::get_if<Text>(&event.body)) {
    block(said->refusal ? Kind::refusal : Kind::text, said->block).text += said->text;
  } else if (const auto* reasoning = std::get_if<Reasoning>(&event.body)) {
    auto& thought = block(Kind::reasoning, reasoning->block);
    thought.text += reasoning->text;
    thought.id = reasoning->id.empty() ? thought.id : reasoning->id;
  } else if (const auto* seal_event = std::get_if<ReasoningSeal>(&event.body)) {
    auto& sealed = block(Kind::reasoning, seal_event->block);
    sealed.seal_kind = seal_event->kind;
    sealed.seal = seal_event->data;
    if (!seal_event->id.empty()) {
      sealed.id = seal_event->id;
    }
  } else if (const auto* call = std::get_if<ToolStart>(&event.body)) {
    auto& started = block(Kind::tool_call, call->block);
    started.id = call->id;
    started.name = call->name;
    started.name_space = call->name_space;
    started.form = call->form;
  } else if (const auto* arguments = std::get_if<ToolArguments>(&event.body)) {
    block(Kind::tool_call, arguments->block).arguments += arguments->json;
  } else if (const auto* end = std::get_if<ToolEnd>(&event.body)) {
    auto& ended = block(Kind::tool_call, end->block);
    ended.complete = end->complete;
    if (!end->restated.empty()) {
      ended.arguments = end->restated;
    }
  } else if (const auto* counted = std::get_if<Usage>(&event.body)) {
    usage = *counted;
  } else if (const auto* finished = std::get_if<Finish>(&event.body)) {
    finish = finished->reason;
    native_finish = finished->native;
    stop_sequence = finished->stop_sequence;
  }
}

std::string Answer::text() const {
  std::string all;
  for (const auto& block : blocks) {
    if (block.kind == AnswerBlock::Kind::text) {
      all += block.text;
    }
  }
  return all;
}

}  // namespace understudy::llm
