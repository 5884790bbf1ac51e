#include "api/event_stream.hpp"

namespace agentdb9::api {
namespace {

// How long a client waits before it comes again.
constexpr std::string_view kBegin = "retry: 2000\n\n";
constexpr std::string_view kQuiet = ": quiet\n\n";

class EventStream {
  public:
    explicit EventStream(std::function<Task<std::optional<std::string>>()> next) : next_(std::move(next)) {}

    Task<std::optional<std::string>> piece() {
        // At once, so that the client knows that it is heard.
        if (!std::exchange(begun_, true)) co_return std::string(kBegin);
        auto text = co_await next_();
        if (text && text->empty()) *text = kQuiet;
        co_return text;
    }

  private:
    std::function<Task<std::optional<std::string>>()> next_;
    bool begun_ = false;
};

}  // namespace

std::string event_text(std::string_view event, const json::value& data, std::string_view id) {
    std::string text;
    text.append("event: ").append(event).append("\n");
    if (!id.empty()) text.append("id: ").append(id).append("\n");
    text.append("data: ").append(json::serialize(data)).append("\n\n");
    return text;
}

http::Response event_stream(std::function<Task<std::optional<std::string>>()> next) {
    http::Response response;
    response.headers.set("Content-Type", "text/event-stream");
    response.headers.set("Cache-Control", "no-store");
    // Proxies of the kind of nginx would keep events back.
    response.headers.set("X-Accel-Buffering", "no");
    auto stream = std::make_shared<EventStream>(std::move(next));
    response.next_piece = [stream] { return stream->piece(); };
    return response;
}

}  // namespace agentdb9::api
