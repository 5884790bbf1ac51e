#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <deque>
#include <optional>
#include <vector>

#include "modes.hpp"

namespace agentdb9::bench {
namespace {

constexpr std::chrono::seconds kGrace{10};       // for the answers that are due when the load ends
constexpr std::chrono::milliseconds kLook{100};  // at whether the grace is over
constexpr std::size_t kMaxHead = 16UL * 1024;

struct Connection {
    Fd fd;
    std::string head;
    bool waiting = false;  // for an answer
    bool in_body = false;
    std::uint64_t left = 0;  // of the body
    Clock::time_point due;
};

// The body's length; absent without a whole, sane Content-Length.
std::optional<std::uint64_t> content_length(std::string_view head) {
    std::string lower(head);
    std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    constexpr std::string_view kName = "\r\ncontent-length: ";
    const auto place = lower.find(kName);
    if (place == lower.npos) return std::nullopt;
    std::uint64_t length = 0;
    const auto* begin = lower.data() + place + kName.size();
    if (std::from_chars(begin, lower.data() + lower.size(), length).ec != std::errc()) return std::nullopt;
    return length;
}

class HttpLoad {
  public:
    HttpLoad(const Options& options, Report& report)
        : options_(options),
          report_(report),
          request_(get_request(options)),
          connections_(options.connections) {}

    void run() {
        for (auto& connection : connections_)
            open(connection);
        if (report_.error_count() > 0) return;
        await_word();
        report_.begin();
        next_ = Clock::now();
        end_ = next_ + options_.duration;
        for (auto& connection : connections_)
            rest(connection);
        while (report_.error_count() < kMaxErrors && Clock::now() < end_ + kGrace) {
            send_due();
            if (Clock::now() >= end_ && in_flight_ == 0 && overdue_.empty()) break;
            for (const auto& event : poller_.wait(wake_at()))
                receive(*static_cast<Connection*>(event.data.ptr));
        }
        for (std::size_t i = 0; i < in_flight_ + overdue_.size(); ++i)
            report_.error("no answer in time");
    }

  private:
    bool paced() const { return options_.rate > 0; }

    Clock::time_point wake_at() const {
        if (paced() && next_ < end_) return next_;
        const auto now = Clock::now();
        return now < end_ ? end_ : now + kLook;
    }

    void open(Connection& connection) {
        if (connection.waiting) --in_flight_;
        connection = Connection();
        connection.fd = connect_to(options_.port);
        if (!connection.fd) return report_.error("cannot connect");
        make_non_blocking(connection.fd);
        poller_.add(connection.fd, &connection);
    }

    // Free for the next request: at once, or when one is due.
    void rest(Connection& connection) {
        if (!connection.fd) return;
        if (paced())
            free_.push_back(&connection);
        else if (Clock::now() < end_)
            ask(connection, Clock::now());
    }

    void send_due() {
        if (!paced()) return;
        const auto interval =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(1 / options_.rate));
        for (const auto now = Clock::now(); next_ <= now && next_ < end_; next_ += interval)
            overdue_.push_back(next_);
        while (!overdue_.empty() && !free_.empty()) {
            auto* connection = free_.front();
            free_.pop_front();
            ask(*connection, overdue_.front());
            overdue_.pop_front();
        }
    }

    void ask(Connection& connection, Clock::time_point due) {
        connection.waiting = true;
        connection.due = due;
        ++in_flight_;
        // One request at a time on a connection: it always fits.
        if (!send_all(connection.fd, request_)) failed(connection, "cannot send");
    }

    void failed(Connection& connection, const std::string& why) {
        report_.error(why);
        open(connection);
        rest(connection);
    }

    void receive(Connection& connection) {
        const bool discard = connection.in_body && connection.left >= buffer_.size();
        const auto size = discard ? ::recv(connection.fd.get(), nullptr, connection.left, MSG_TRUNC)
                                  : ::recv(connection.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (size <= 0)
            return failed(connection, connection.waiting ? "connection lost" : "closed while idle");
        if (!connection.waiting) return failed(connection, "bytes that nobody asked for");
        auto body = static_cast<std::uint64_t>(size);
        if (!connection.in_body) {
            connection.head.append(buffer_.data(), body);
            const auto end = connection.head.find("\r\n\r\n");
            if (end == std::string::npos && connection.head.size() < kMaxHead) return;
            if (!begin_body(connection, end)) return;
            body = connection.head.size() - end - 4;
        }
        if (body > connection.left) return failed(connection, "more than the Content-Length");
        connection.left -= body;
        if (connection.left == 0) answered(connection);
    }

    bool begin_body(Connection& connection, std::size_t head_end) {
        const auto head = std::string_view(connection.head).substr(0, head_end);
        const auto length = content_length(head);
        const bool good = head_end != std::string::npos && head.starts_with("HTTP/1.1 200 ");
        if (good && length == options_.bytes) {
            connection.in_body = true;
            connection.left = *length;
            return true;
        }
        failed(connection, good ? "another Content-Length" : std::string(head.substr(0, head.find("\r\n"))));
        return false;
    }

    void answered(Connection& connection) {
        --in_flight_;
        report_.done(options_.bytes);
        if (paced()) report_.took(Clock::now() - connection.due);
        connection.waiting = connection.in_body = false;
        connection.head.clear();
        rest(connection);
    }

    const Options& options_;
    Report& report_;
    std::string request_;
    std::vector<char> buffer_ = std::vector<char>(256UL * 1024);
    std::vector<Connection> connections_;
    Poller poller_;
    std::deque<Connection*> free_;
    std::deque<Clock::time_point> overdue_;
    Clock::time_point end_, next_;
    std::size_t in_flight_ = 0;
};

}  // namespace

std::string get_request(const Options& options) {
    return "GET " + options.target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options.port) +
           "\r\nUser-Agent: bench\r\nAccept: */*\r\nAuthorization: Bearer " + options.token + "\r\n\r\n";
}

void load_http(const Options& options, Report& report) {
    HttpLoad(options, report).run();
}

}  // namespace agentdb9::bench
