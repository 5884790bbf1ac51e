#include "cli/client/server_sent_events.hpp"

namespace agentdb9::cli::client {
namespace {

constexpr std::size_t kLargest = std::size_t{4} << 20;

}  // namespace

json::object ServerSentEvent::object() const {
    auto value = base::parse_json_or(data, json::object());
    return value.is_object() ? std::move(value.get_object()) : json::object();
}

bool ServerSentEvents::push(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        line_ += bytes.substr(0, end);
        if (line_.size() + event_.data.size() > kLargest) return false;
        if (end == std::string_view::npos) break;
        bytes.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        take_line(line_);
        line_.clear();
    }
    return true;
}

void ServerSentEvents::reset() {
    line_.clear();
    event_ = {.name = {}, .id = std::move(event_.id), .data = {}};
    has_data_ = false;
}

void ServerSentEvents::take_line(std::string_view line) {
    if (line.empty()) {
        if (has_data_) {
            if (event_.name.empty()) event_.name = "message";
            on_event_(event_);
        }
        event_.name.clear();
        event_.data.clear();
        has_data_ = false;
        return;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) value.remove_prefix(1);
    if (field == "event") {
        event_.name = value;
    } else if (field == "id") {
        event_.id = value;
    } else if (field == "data") {
        if (has_data_) event_.data += '\n';
        event_.data += value;
        has_data_ = true;
    }
}

}  // namespace agentdb9::cli::client
