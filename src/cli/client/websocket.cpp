#include "cli/client/websocket.hpp"

#include <curl/curl.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <new>

#include "base/crypto.hpp"
#include "cli/client/server_url.hpp"
#include "cli/version.hpp"
#include "http/head.hpp"
#include "http/message.hpp"

namespace agentdb9::cli::client {

using Kind = http::WebSocketMessage::Kind;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t kMostOfMessage = std::size_t{1} << 20;
constexpr std::size_t kMostOfAnswer = std::size_t{256} << 10;
constexpr std::chrono::seconds kSendLimit{60};
constexpr std::size_t kKeyBytes = 16;
// How often it is looked whether a connection is still wanted.
constexpr std::chrono::milliseconds kLook{250};

std::uint32_t random_mask() {
    std::array<unsigned char, 4> bytes{};
    base::random_bytes(bytes);
    std::uint32_t mask = 0;
    for (const auto byte : bytes)
        mask = mask << 8 | byte;
    return mask;
}

int milliseconds_until(steady_clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
    return left < 0 ? 0 : static_cast<int>(left);
}

HttpFailure broken(std::string reason) {
    return {HttpFailure::Kind::kUnreachable, std::move(reason)};
}

// What stands between "//" and the path, and from there on.
std::pair<std::string, std::string> host_and_target(const std::string& url) {
    const auto begin = url.find("//") + 2;
    const auto path = url.find('/', begin);
    if (path == std::string::npos) return {url.substr(begin), "/"};
    return {url.substr(begin, path - begin), url.substr(path)};
}

}  // namespace

// The connection as bytes.
class WebSocket::Line {
  public:
    Line() : curl_(curl_easy_init()) {
        if (curl_ == nullptr) throw std::bad_alloc();
    }
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;
    ~Line() { curl_easy_cleanup(curl_); }

    std::optional<HttpFailure> connect(const std::string& url, const std::string& ca_file,
                                       std::chrono::milliseconds limit,
                                       const std::function<bool()>& cancelled) {
        std::array<char, CURL_ERROR_SIZE> words{};
        curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl_, CURLOPT_CONNECT_ONLY, 1L);
        curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        curl_easy_setopt(curl_, CURLOPT_HTTPPROXYTUNNEL, 1L);
        curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYPEER, 1L);
        curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYHOST, 2L);
        if (!ca_file.empty()) curl_easy_setopt(curl_, CURLOPT_CAINFO, ca_file.c_str());
        if (is_loopback_url(url)) curl_easy_setopt(curl_, CURLOPT_PROXY, "");
        curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl_, CURLOPT_TCP_NODELAY, 1L);
        curl_easy_setopt(curl_, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
        curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, &look);
        curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &cancelled);
        curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, words.data());
        const auto code = curl_easy_perform(curl_);
        curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 1L);
        curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, nullptr);
        if (code == CURLE_OK && curl_easy_getinfo(curl_, CURLINFO_ACTIVESOCKET, &socket_) == CURLE_OK &&
            socket_ != CURL_SOCKET_BAD)
            return std::nullopt;
        return HttpFailure{failure_kind(static_cast<int>(code)),
                           words[0] != '\0' ? words.data() : curl_easy_strerror(code)};
    }

    int socket() const { return static_cast<int>(socket_); }
    void wait(short events, steady_clock::time_point deadline) const {
        pollfd polled{socket(), events, 0};
        ::poll(&polled, 1, milliseconds_until(deadline));
    }
    bool send(std::string_view bytes, steady_clock::time_point deadline) {
        while (!bytes.empty()) {
            std::size_t sent = 0;
            const auto code = curl_easy_send(curl_, bytes.data(), bytes.size(), &sent);
            bytes.remove_prefix(sent);
            if (code == CURLE_AGAIN && steady_clock::now() < deadline)
                wait(POLLOUT, deadline);
            else if (code != CURLE_OK)
                return false;
        }
        return true;
    }
    // What is there now: 0 when nothing is. False: it is over.
    bool receive(std::span<char> room, std::size_t& got) {
        got = 0;
        const auto code = curl_easy_recv(curl_, room.data(), room.size(), &got);
        return code == CURLE_AGAIN || (code == CURLE_OK && got > 0);
    }

  private:
    static int look(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
        const auto& cancelled = *static_cast<const std::function<bool()>*>(user);
        return cancelled && cancelled() ? 1 : 0;
    }

    CURL* curl_;
    curl_socket_t socket_ = CURL_SOCKET_BAD;
};

std::expected<WebSocket::Opened, HttpFailure> WebSocket::open(const std::string& url,
                                                              const std::vector<std::string>& headers,
                                                              const std::string& ca_file,
                                                              std::chrono::milliseconds limit,
                                                              const std::function<bool()>& cancelled) {
    const auto deadline = steady_clock::now() + limit;
    auto line = std::make_unique<Line>();
    if (auto failure = line->connect(url, ca_file, limit, cancelled))
        return std::unexpected(std::move(*failure));
    std::string raw(kKeyBytes, '\0');
    base::random_bytes({reinterpret_cast<unsigned char*>(raw.data()), raw.size()});
    const auto key = base::base64_encode(raw);
    const auto [host, target] = host_and_target(url);
    std::string request = "GET " + target + " HTTP/1.1\r\nHost: " + host +
                          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                          "Sec-WebSocket-Key: " +
                          key + "\r\nUser-Agent: agentdb9/" + std::string(kVersion) + "\r\n";
    for (const auto& each : headers)
        request += each + "\r\n";
    if (!line->send(request + "\r\n", deadline)) return std::unexpected(broken("it took no request"));

    // 1. The head. 2. Behind a refusal's the body, of the length that it has; 3. behind a 101 what comes
    // already.
    std::string text;
    std::array<char, 16384> piece{};
    http::ResponseHead head;
    std::size_t head_size = 0;  // 0: not there yet
    for (;;) {
        if (head_size == 0) {
            const auto end = http::find_head_end(text, 0);
            if (!end) return std::unexpected(broken("its answer cannot be read"));
            head_size = end->value_or(0);
            if (head_size > 0 && http::parse_response_head(text.substr(0, head_size), "GET", head))
                return std::unexpected(broken("its answer cannot be read"));
        }
        if (head_size > 0) {
            const bool counted = head.framing.kind == http::Framing::Kind::kLength;
            if (!counted || text.size() - head_size >= head.framing.length) break;
        }
        if (text.size() > kMostOfAnswer) return std::unexpected(broken("its answer is too long"));
        std::size_t got = 0;
        if (!line->receive(piece, got)) return std::unexpected(broken("it closed the connection"));
        text.append(piece.data(), got);
        if (got > 0) continue;
        if (steady_clock::now() >= deadline)
            return std::unexpected(HttpFailure{HttpFailure::Kind::kSilent, "no answer in time"});
        if (cancelled && cancelled()) return std::unexpected(HttpFailure{HttpFailure::Kind::kCancelled, ""});
        line->wait(POLLIN, std::min(deadline, steady_clock::now() + kLook));
    }
    Opened opened;
    opened.answer.status = head.status;
    opened.answer.body = text.substr(head_size);
    if (head.status != 101) return opened;
    const auto accepted = http::trim(head.get("Sec-WebSocket-Accept").value_or(""));
    if (accepted != http::websocket_accept(key)) return std::unexpected(broken("it speaks no WebSocket"));
    opened.socket.reset(new WebSocket(std::move(line)));
    opened.socket->reader_.push(opened.answer.body);
    opened.answer.body.clear();
    return opened;
}

WebSocket::WebSocket(std::unique_ptr<Line> line)
    : line_(std::move(line)), reader_(http::WebSocketSide::kClient, kMostOfMessage) {}

WebSocket::~WebSocket() = default;

int WebSocket::descriptor() const {
    return line_->socket();
}

std::optional<http::WebSocketMessage> WebSocket::next() {
    std::array<char, 16384> piece{};
    while (!lost_) {
        if (auto message = reader_.next()) {
            if (message->kind == Kind::kPing) {
                send(Kind::kPong, message->bytes);
                continue;
            }
            if (message->kind == Kind::kClose) answer_close(message->code);
            return message;
        }
        std::size_t got = 0;
        if (reader_.failure() != 0 || !line_->receive(piece, got)) {
            lost_ = true;
        } else if (got == 0) {
            return std::nullopt;
        }
        reader_.push({piece.data(), got});
    }
    return std::nullopt;
}

// RFC 6455 section 5.5.1.
void WebSocket::answer_close(std::uint16_t code) {
    constexpr std::uint16_t kNone = 1005;
    std::string bytes;
    if (code != kNone) bytes = {static_cast<char>(code >> 8), static_cast<char>(code)};
    send(Kind::kClose, bytes);
}

bool WebSocket::send(Kind kind, std::string_view bytes) {
    if (!lost_ &&
        !line_->send(http::websocket_frame(kind, bytes, random_mask()), steady_clock::now() + kSendLimit))
        lost_ = true;
    return !lost_;
}

}  // namespace agentdb9::cli::client
