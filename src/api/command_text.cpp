#include "api/command_text.hpp"

#include <algorithm>

#include "api/event_stream.hpp"
#include "base/crypto.hpp"
#include "base/utf8.hpp"

namespace agentdb9::api {
namespace {

using runtime::OutputStream;

std::size_t index_of(OutputStream stream) {
    return stream == OutputStream::kStderr ? 1 : 0;
}

std::string_view name_of(std::size_t index) {
    return index == 1 ? "stderr" : "stdout";
}

std::string encoded(std::string_view bytes, CommandEncoding encoding) {
    return encoding == CommandEncoding::kBase64 ? base::base64_encode(bytes) : base::as_valid_utf8(bytes);
}

}  // namespace

json::object to_json(const services::CommandEnd& end) {
    json::object out{{"exitCode", nullptr},
                     {"endedBy", services::to_text(end.ending)},
                     {"timedOut", end.ending == services::CommandEnding::kTimeLimit},
                     {"leftRunning", end.left_running},
                     {"durationMs", end.took.count()}};
    if (end.exit_code) out["exitCode"] = *end.exit_code;
    return out;
}

void CollectedOutput::add(const services::CommandOutput& output) {
    auto& text = texts_[index_of(output.stream)];
    const auto room = std::min(output.bytes.size(), most_ - text.size());
    text.append(output.bytes, 0, room);
    discarded_ += output.bytes.size() - room;
}

json::object CollectedOutput::to_json(const services::CommandEnd& end, CommandEncoding encoding) const {
    const auto discarded = discarded_ + end.dropped_bytes;
    auto out = api::to_json(end);
    for (std::size_t i = 0; i < texts_.size(); ++i)
        out[name_of(i)] = encoded(texts_[i], encoding);
    out["encoding"] = encoding == CommandEncoding::kBase64 ? "base64" : "utf-8";
    out["truncated"] = discarded > 0;
    out["discardedBytes"] = discarded;
    return out;
}

std::string StreamedOutput::event(const services::CommandOutput& output) {
    const auto index = index_of(output.stream);
    auto bytes = std::exchange(unfinished_[index], {}) + output.bytes;
    if (encoding_ == CommandEncoding::kText) {
        const auto whole = bytes.size() - base::unfinished_utf8(bytes);
        unfinished_[index] = bytes.substr(whole);
        bytes.resize(whole);
    }
    if (bytes.empty()) return {};
    return event_text(name_of(index), json::object{{"data", encoded(bytes, encoding_)}});
}

std::string StreamedOutput::leftovers() {
    std::string text;
    for (std::size_t i = 0; i < unfinished_.size(); ++i) {
        if (unfinished_[i].empty()) continue;
        text += event_text(name_of(i), json::object{{"data", encoded(unfinished_[i], encoding_)}});
        unfinished_[i].clear();
    }
    return text;
}

std::string StreamedOutput::last(const services::CommandEnd& end) {
    auto data = to_json(end);
    data["truncated"] = end.dropped_bytes > 0;
    data["discardedBytes"] = end.dropped_bytes;
    return leftovers() + event_text("exit", data);
}

std::string StreamedOutput::last(const base::Error& error) {
    return leftovers() +
           event_text("failed", json::object{{"code", error.word()}, {"message", error.message()}});
}

}  // namespace agentdb9::api
