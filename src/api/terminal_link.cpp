#include "api/terminal_link.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "http/websocket.hpp"

namespace agentdb9::api {
namespace {

using Kind = http::WebSocketMessage::Kind;

constexpr std::size_t kPiece = std::size_t{16} << 10;
// Where nothing is told for so long, a ping is; who does not answer it within the other is gone.
constexpr base::Duration kQuiet{25'000};
constexpr base::Duration kGone{55'000};
// A client that asks for more answers than it takes gets no further ones.
constexpr std::size_t kMostReplies = 16;
constexpr std::int64_t kLargestSide = 1000;

std::string control(json::object message) {
    return http::websocket_frame(Kind::kText, json::serialize(message));
}

std::optional<std::int64_t> number_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    if (value == nullptr || !value->is_int64()) return std::nullopt;
    return value->get_int64();
}

}  // namespace

std::optional<runtime::TerminalSize> terminal_size(std::int64_t columns, std::int64_t rows) {
    const auto fits = [](std::int64_t side) { return side >= 1 && side <= kLargestSide; };
    if (!fits(columns) || !fits(rows)) return std::nullopt;
    return runtime::TerminalSize{static_cast<int>(columns), static_cast<int>(rows)};
}

TerminalLink::TerminalLink(base::Clock& clock, std::shared_ptr<services::TerminalAttachment> attachment,
                           std::optional<std::uint64_t> after)
    : clock_(clock),
      attachment_(std::move(attachment)),
      terminal_(attachment_->terminal),
      reader_(http::WebSocketSide::kServer, kMostOfMessage),
      after_(after) {
    const auto& output = terminal_->output();
    sent_ = std::clamp(after_.value_or(output.begin()), output.begin(), output.end());
    terminal_->passed(sent_);
}

std::string TerminalLink::ready() {
    const auto skipped = after_ && *after_ < sent_ ? sent_ - *after_ : 0;
    return control({{"type", "ready"},
                    {"session", terminal_->facts().id},
                    {"offset", sent_},
                    {"received", terminal_->input_bytes()},
                    {"skipped", skipped},
                    {"columns", terminal_->size().columns},
                    {"rows", terminal_->size().rows}});
}

std::optional<std::string> TerminalLink::output() {
    const auto& output = terminal_->output();
    if (sent_ == output.end()) return std::nullopt;
    std::string frames;
    if (sent_ < output.begin()) {
        frames = control({{"type", "skipped"}, {"bytes", output.begin() - sent_}});
        sent_ = output.begin();
    }
    const auto bytes = output.read(sent_, kPiece);
    sent_ += bytes.size();
    if (!acknowledges_) terminal_->passed(sent_);
    return frames + http::websocket_frame(Kind::kBinary, bytes);
}

std::string TerminalLink::last_frames() {
    const auto& end = *terminal_->how_it_ended();
    json::object message{{"type", "exit"},
                         {"exitCode", nullptr},
                         {"endedBy", services::to_text(end.ending)},
                         {"leftRunning", end.left_running}};
    if (end.exit_code) message["exitCode"] = *end.exit_code;
    const bool signed_out = end.ending == services::CommandEnding::kSignedOut;
    const bool leaves = end.ending == services::CommandEnding::kShuttingDown;
    // Nobody can come again for the end of these.
    if (signed_out || leaves)
        over_ = true;
    else
        end_said_at_ = clock_.steady_now();
    return control(std::move(message)) + http::websocket_close_frame(signed_out ? kSignedOut
                                                                     : leaves   ? kGoingAway
                                                                                : kEnded,
                                                                     signed_out ? "signed out"
                                                                     : leaves   ? "the server is going away"
                                                                                : "the terminal has ended");
}

Task<> TerminalLink::something_to_say() {
    while (!close_ && !attachment_->taken_over && replies_.empty() && sent_ == terminal_->output().end() &&
           !terminal_->how_it_ended())
        co_await terminal_->news().wait();
}

// The client's close frame: what was only sent a dead connection may have taken with it. Who does not come to
// say it on this one may come again.
Task<> TerminalLink::end_to_be_heard() {
    while (!over_ && !close_ && !attachment_->taken_over) {
        const auto left = *end_said_at_ + kGone - clock_.steady_now();
        if (left <= base::SteadyTime::duration(0)) break;
        co_await base::with_timeout(clock_, std::chrono::ceil<base::Duration>(left),
                                    terminal_->news().wait());
    }
    over_ = true;
}

Task<std::optional<std::string>> TerminalLink::next() {
    if (!std::exchange(begun_, true)) co_return ready();
    if (end_said_at_) co_await end_to_be_heard();
    auto quiet_until = clock_.steady_now() + kQuiet;
    while (!over_) {
        if (attachment_->taken_over) close(kTakenOver, "another connection has taken the terminal over");
        if (close_) {
            over_ = true;
            co_return std::move(*close_);
        }
        if (!replies_.empty()) {
            auto reply = std::move(replies_.front());
            replies_.pop_front();
            co_return reply;
        }
        if (auto bytes = output()) co_return bytes;
        if (terminal_->how_it_ended()) co_return last_frames();
        const auto now = clock_.steady_now();
        if (asked_at_ && now - *asked_at_ >= kGone) break;
        if (now >= quiet_until) {
            if (!asked_at_) asked_at_ = now;
            co_return http::websocket_frame(Kind::kPing, {});
        }
        const auto until = asked_at_ ? std::min(quiet_until, *asked_at_ + kGone) : quiet_until;
        const auto pause = std::chrono::ceil<base::Duration>(until - now);
        co_await base::with_timeout(clock_, pause, something_to_say());
    }
    co_return std::nullopt;
}

Task<bool> TerminalLink::take(std::string bytes) {
    asked_at_.reset();
    reader_.push(bytes);
    while (auto message = reader_.next()) {
        if (over_ || close_) co_return false;
        if (!co_await take_message(std::move(*message))) co_return false;
    }
    if (reader_.failure() == 0) co_return true;
    close(reader_.failure(), reader_.failure() == 1009 ? "a message has 64 KiB at most" : "not understood");
    co_return false;
}

Task<bool> TerminalLink::take_message(http::WebSocketMessage message) {
    switch (message.kind) {
        case Kind::kBinary:
            co_await terminal_->input(attachment_, std::move(message.bytes));
            co_return true;
        case Kind::kText:
            co_await obey(message.bytes);
            co_return true;
        case Kind::kPing:
            reply(http::websocket_frame(Kind::kPong, message.bytes));
            co_return true;
        case Kind::kPong:
            co_return true;
        case Kind::kClose:
            if (end_said_at_) {
                over_ = true;
                terminal_->told();
                terminal_->news().notify_all();
                co_return false;
            }
            // RFC 6455 section 5.5.1: it is answered with the same code.
            close(message.code == 1005 ? kEnded : message.code, {});
            co_return false;
    }
    co_return false;
}

Task<> TerminalLink::obey(std::string_view text) {
    const auto value = base::parse_json_or(text, nullptr);
    const auto* object = value.if_object();
    const auto* type = object != nullptr ? object->if_contains("type") : nullptr;
    if (type == nullptr || !type->is_string()) {
        complain("A text message is one JSON object with a type: resize, ack or end.");
        co_return;
    }
    if (!!attachment_->taken_over) co_return;
    const std::string_view what = type->get_string();
    if (what == "resize") {
        const auto size =
            terminal_size(number_in(*object, "columns").value_or(0), number_in(*object, "rows").value_or(0));
        if (!size) {
            complain("resize needs columns and rows from 1 to 1000.");
            co_return;
        }
        std::string failure;
        try {
            co_await terminal_->resize(*size);
        } catch (const base::Error& error) {
            failure = error.message();
        }
        if (!failure.empty()) complain(failure);
    } else if (what == "ack") {
        const auto offset = number_in(*object, "offset");
        if (!offset || *offset < 0 || static_cast<std::uint64_t>(*offset) > sent_) {
            complain("ack needs the offset up to which output has come.");
            co_return;
        }
        acknowledges_ = true;
        terminal_->passed(static_cast<std::uint64_t>(*offset));
    } else if (what == "end") {
        terminal_->end(services::CommandEnding::kAsked);
    } else {
        complain("This type is not known; there are resize, ack and end.");
    }
}

void TerminalLink::reply(std::string frame) {
    if (replies_.size() < kMostReplies) replies_.push_back(std::move(frame));
    terminal_->news().notify_all();
}

void TerminalLink::complain(std::string_view message) {
    reply(control({{"type", "error"}, {"message", message}}));
}

void TerminalLink::close(std::uint16_t code, std::string_view reason) {
    if (!close_) close_ = http::websocket_close_frame(code, reason);
    terminal_->news().notify_all();
}

}  // namespace agentdb9::api
