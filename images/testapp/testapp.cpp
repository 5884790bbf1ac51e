// A small web application for the tests of lifecycle and proxy: it shows its files, its environment and what
// reached it, and speaks WebSocket. One static program, a thread a connection. Environment: PORT (8080),
// START_DELAY (ms), FAIL_START=1, UNHEALTHY=1, IGNORE_TERM=1, RECORD=1 (/received lists every request).
#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

extern char** environ;

namespace {

bool flag(const char* name) {
    const char* value = getenv(name);
    return value != nullptr && std::string_view(value) == "1";
}

// ---- text ----

std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::array<char, 8> escape{};
            snprintf(escape.data(), escape.size(), "\\u%04x", c);
            out += escape.data();
        } else {
            out += c;
        }
    }
    return out + "\"";
}

bool same(std::string_view a, std::string_view b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (tolower(a[i]) != tolower(b[i])) return false;
    }
    return true;
}

std::string base64(const std::string& data) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < data.size(); i += 3) {
        std::uint32_t group = static_cast<unsigned char>(data[i]) << 16;
        if (i + 1 < data.size()) group |= static_cast<unsigned char>(data[i + 1]) << 8;
        if (i + 2 < data.size()) group |= static_cast<unsigned char>(data[i + 2]);
        out += kAlphabet[group >> 18];
        out += kAlphabet[(group >> 12) & 63];
        out += i + 1 < data.size() ? kAlphabet[(group >> 6) & 63] : '=';
        out += i + 2 < data.size() ? kAlphabet[group & 63] : '=';
    }
    return out;
}

// FIPS 180-4, for the WebSocket handshake (RFC 6455, section 4.2.2).
std::string sha1(std::string text) {
    std::array<std::uint32_t, 5> h{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
    const std::uint64_t bits = text.size() * 8;
    text += '\x80';
    while (text.size() % 64 != 56)
        text += '\0';
    for (int i = 7; i >= 0; --i)
        text += static_cast<char>(bits >> (i * 8));
    const auto roll = [](std::uint32_t value, int by) { return value << by | value >> (32 - by); };
    for (std::size_t block = 0; block < text.size(); block += 64) {
        std::array<std::uint32_t, 80> w{};
        for (std::size_t i = 0; i < 16; ++i) {
            for (std::size_t j = 0; j < 4; ++j)
                w[i] = w[i] << 8 | static_cast<unsigned char>(text[block + i * 4 + j]);
        }
        for (std::size_t i = 16; i < 80; ++i)
            w[i] = roll(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
        auto [a, b, c, d, e] = h;
        for (std::size_t i = 0; i < 80; ++i) {
            std::uint32_t f = b ^ c ^ d, k = 0xCA62C1D6;
            if (i < 20) {
                f = (b & c) | (~b & d);
                k = 0x5A827999;
            } else if (i < 40) {
                k = 0x6ED9EBA1;
            } else if (i < 60) {
                f = (b & c) | (b & d) | (c & d);
                k = 0x8F1BBCDC;
            }
            const std::uint32_t next = roll(a, 5) + f + e + k + w[i];
            e = d;
            d = c;
            c = roll(b, 30);
            b = a;
            a = next;
        }
        h = {h[0] + a, h[1] + b, h[2] + c, h[3] + d, h[4] + e};
    }
    std::string out;
    for (const auto word : h) {
        for (int i = 3; i >= 0; --i)
            out += static_cast<char>(word >> (i * 8));
    }
    return out;
}

std::string percent_decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%' || i + 2 >= text.size()) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(strtoul(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
        i += 2;
    }
    return out;
}

// ---- connection ----

struct Request {
    std::string method, target, path, query, body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::size_t body_length = 0;

    std::string header(std::string_view name) const {
        for (const auto& [key, value] : headers) {
            if (same(key, name)) return value;
        }
        return {};
    }
    std::string parameter(const std::string& name, const std::string& fallback) const {
        std::stringstream all(query);
        for (std::string pair; std::getline(all, pair, '&');) {
            if (pair.starts_with(name + "=")) return pair.substr(name.size() + 1);
        }
        return fallback;
    }
};

std::string headers_json(const Request& request) {
    std::string out = "[";
    for (const auto& [name, value] : request.headers) {
        out += (out.size() > 1 ? "," : "") + ("[" + json_text(name) + "," + json_text(value) + "]");
    }
    return out + "]";
}

// What came, in the order of its heads; bodyLength is null where the end of the body never came.
class Record {
  public:
    std::size_t head_came(const Request& request) {
        const std::lock_guard lock(mutex_);
        entries_.push_back({"{\"method\":" + json_text(request.method) + ",\"url\":" +
                                json_text(request.target) + ",\"headers\":" + headers_json(request),
                            std::nullopt});
        return entries_.size() - 1;
    }
    void body_came(std::size_t entry, std::size_t length) {
        const std::lock_guard lock(mutex_);
        entries_[entry].body_length = length;
    }
    std::string json(std::size_t from) {
        const std::lock_guard lock(mutex_);
        std::string out = "[";
        for (; from < entries_.size(); ++from) {
            const auto& [text, length] = entries_[from];
            out += (out.size() > 1 ? "," : "") + text +
                   ",\"bodyLength\":" + (length ? std::to_string(*length) : "null") + "}";
        }
        return out + "]";
    }

  private:
    struct Entry {
        std::string text;
        std::optional<std::size_t> body_length;
    };
    std::mutex mutex_;
    std::vector<Entry> entries_;
};

Record& record() {
    static Record all;
    return all;
}

class Connection {
  public:
    explicit Connection(int socket) : socket_(socket) {}
    ~Connection() { close(socket_); }
    Connection(const Connection&) = delete;

    bool send_all(std::string_view data) {
        while (!data.empty()) {
            const auto sent = send(socket_, data.data(), data.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            data.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    bool fill() {
        std::array<char, 65536> chunk{};
        const auto got = recv(socket_, chunk.data(), chunk.size(), 0);
        if (got <= 0) return false;
        buffer_.append(chunk.data(), static_cast<std::size_t>(got));
        return true;
    }

    std::optional<std::string> take(std::size_t count) {
        while (buffer_.size() < count) {
            if (!fill()) return std::nullopt;
        }
        auto out = buffer_.substr(0, count);
        buffer_.erase(0, count);
        return out;
    }

    std::optional<std::string> take_line() {
        std::size_t end;
        while ((end = buffer_.find("\r\n")) == std::string::npos) {
            if (!fill()) return std::nullopt;
        }
        auto line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return line;
    }

    std::optional<Request> read_head() {
        Request request;
        auto line = take_line();
        if (!line) return std::nullopt;
        std::stringstream(*line) >> request.method >> request.target;
        const auto mark = request.target.find('?');
        request.path = request.target.substr(0, mark);
        if (mark != std::string::npos) request.query = request.target.substr(mark + 1);
        while ((line = take_line()) && !line->empty()) {
            const auto colon = line->find(':');
            const auto start = line->find_first_not_of(" \t", colon + 1);
            request.headers.emplace_back(line->substr(0, colon),
                                         start == std::string::npos ? "" : line->substr(start));
        }
        if (!line) return std::nullopt;
        return request;
    }

    bool read_body(Request& request) {
        if (same(request.header("Expect"), "100-continue") && !send_all("HTTP/1.1 100 Continue\r\n\r\n"))
            return false;
        const bool keep = request.path.starts_with("/files/") || request.path.starts_with("/home-files/");
        const auto consume = [&](std::size_t count) {
            while (count > 0) {
                if (buffer_.empty() && !fill()) return false;
                const auto part = std::min(count, buffer_.size());
                if (keep) request.body.append(buffer_, 0, part);
                buffer_.erase(0, part);
                request.body_length += part;
                count -= part;
            }
            return true;
        };
        if (same(request.header("Transfer-Encoding"), "chunked")) {
            for (;;) {
                const auto line = take_line();
                if (!line) return false;
                const auto size = strtoul(line->c_str(), nullptr, 16);
                if (size == 0) {
                    std::optional<std::string> trailer;
                    while ((trailer = take_line()) && !trailer->empty())
                        continue;
                    return trailer.has_value();
                }
                if (!consume(size) || !take_line()) return false;
            }
        }
        return consume(strtoul(request.header("Content-Length").c_str(), nullptr, 10));
    }

    // Sends the body back while it comes.
    bool mirror(Request& request) {
        auto left = strtoul(request.header("Content-Length").c_str(), nullptr, 10);
        if (!send_all("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                      std::to_string(left) + "\r\n\r\n"))
            return false;
        while (left > 0) {
            if (buffer_.empty() && !fill()) return false;
            const auto part = std::min<std::size_t>(left, buffer_.size());
            if (!send_all(std::string_view(buffer_).substr(0, part))) return false;
            buffer_.erase(0, part);
            request.body_length += part;
            left -= part;
        }
        return true;
    }

    bool respond(int status, std::string_view type, std::string_view body, std::string_view extra = {},
                 bool head = false) {
        std::string text = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
        if (!type.empty()) text += "Content-Type: " + std::string(type) + "\r\n";
        text += extra;
        if (status != 204 && status != 304) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
        text += "\r\n";
        if (!head) text += body;
        return send_all(text);
    }

  private:
    int socket_;
    std::string buffer_;
};

// ---- WebSocket (RFC 6455) ----

bool send_frame(Connection& connection, int opcode, std::string_view payload) {
    std::string head(1, static_cast<char>(0x80 | opcode));
    if (payload.size() < 126) {
        head += static_cast<char>(payload.size());
    } else if (payload.size() < 65536) {
        head += '\x7e';
        for (int i = 1; i >= 0; --i)
            head += static_cast<char>(payload.size() >> (i * 8));
    } else {
        head += '\x7f';
        for (int i = 7; i >= 0; --i)
            head += static_cast<char>(payload.size() >> (i * 8));
    }
    return connection.send_all(head + std::string(payload));
}

bool answer_message(Connection& connection, const Request& request, int opcode, const std::string& message) {
    if (opcode == 1 && message == "headers") return send_frame(connection, 1, headers_json(request));
    if (opcode == 1 && message == "ping") return send_frame(connection, 9, "p");
    if (opcode == 1 && message.starts_with("size ")) {
        return send_frame(connection, 1, std::string(strtoul(message.c_str() + 5, nullptr, 10), 'x'));
    }
    if (opcode == 1 && message.starts_with("close ")) {
        const auto code = static_cast<unsigned>(strtoul(message.c_str() + 6, nullptr, 10));
        const auto space = message.find(' ', 6);
        std::string payload{static_cast<char>(code >> 8), static_cast<char>(code)};
        if (space != std::string::npos) payload += message.substr(space + 1);
        send_frame(connection, 8, payload);
        return false;
    }
    return send_frame(connection, opcode, message);
}

void serve_websocket(Connection& connection, const Request& request) {
    std::string head =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
        "Upgrade\r\nSec-WebSocket-Accept: " +
        base64(sha1(request.header("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) + "\r\n";
    const auto protocols = request.header("Sec-WebSocket-Protocol");
    if (!protocols.empty())
        head += "Sec-WebSocket-Protocol: " + protocols.substr(0, protocols.find(',')) + "\r\n";
    if (!connection.send_all(head + "\r\n")) return;
    std::string message;
    int message_opcode = 0;
    for (;;) {
        const auto start = connection.take(2);
        if (!start) return;
        const int opcode = (*start)[0] & 15;
        std::uint64_t size = (*start)[1] & 127;
        if (size >= 126) {
            const auto more = connection.take(size == 126 ? 2 : 8);
            if (!more) return;
            size = 0;
            for (const char c : *more)
                size = size << 8 | static_cast<unsigned char>(c);
        }
        const auto mask = connection.take(4);
        auto payload = mask ? connection.take(size) : std::nullopt;
        if (!payload) return;
        for (std::size_t i = 0; i < payload->size(); ++i)
            (*payload)[i] = static_cast<char>((*payload)[i] ^ (*mask)[i % 4]);
        if (opcode == 8) {
            send_frame(connection, 8, *payload);
            return;
        }
        if (opcode == 9 && !send_frame(connection, 10, *payload)) return;
        if (opcode == 10 && !send_frame(connection, 1, "pong")) return;
        if (opcode > 2) continue;
        if (opcode != 0) message_opcode = opcode;
        message += *payload;
        if (((*start)[0] & 0x80) == 0) continue;
        if (!answer_message(connection, request, message_opcode, message)) return;
        message.clear();
    }
}

// ---- what it answers ----

bool serve_file(Connection& connection, const Request& request, const std::string& directory,
                std::string name) {
    if (name.find("..") != std::string::npos) return connection.respond(400, "text/plain", "no\n");
    const std::string path = directory + "/" + name;
    if (request.method == "PUT") {
        std::ofstream file(path, std::ios::binary);
        file << request.body;
        file.close();
        return connection.respond(file ? 201 : 500, "text/plain", "written\n");
    }
    if (name.empty()) {
        std::string list = "[";
        if (DIR* open = opendir(directory.c_str())) {
            while (const dirent* entry = readdir(open)) {
                if (entry->d_name[0] != '.') list += (list.size() > 1 ? "," : "") + json_text(entry->d_name);
            }
            closedir(open);
        }
        return connection.respond(200, "application/json", list + "]");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file) return connection.respond(404, "text/plain", "no such file\n");
    std::stringstream content;
    content << file.rdbuf();
    return connection.respond(200, "application/octet-stream", content.str());
}

bool serve_stream(Connection& connection, std::size_t bytes) {
    if (!connection.send_all("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
                             std::to_string(bytes) + "\r\n\r\n")) {
        return false;
    }
    const std::string block(65536, 'x');
    while (bytes > 0) {
        const auto part = std::min(bytes, block.size());
        if (!connection.send_all(std::string_view(block).substr(0, part))) return false;
        bytes -= part;
    }
    return true;
}

bool serve_chunked(Connection& connection, int count) {
    std::string out =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Count\r\nTransfer-Encoding: "
        "chunked\r\n\r\n";
    for (int i = 0; i < count; ++i) {
        const auto text = "chunk " + std::to_string(i) + "\n";
        std::array<char, 16> size{};
        snprintf(size.data(), size.size(), "%zx\r\n", text.size());
        out += size.data() + text + "\r\n";
    }
    return connection.send_all(out + "0\r\nX-Count: " + std::to_string(count) + "\r\n\r\n");
}

std::string environment_json() {
    std::string out = "{";
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const auto equals = text.find('=');
        out += (out.size() > 1 ? "," : "") + json_text(text.substr(0, equals)) + ":" +
               json_text(text.substr(equals + 1));
    }
    return out + "}";
}

bool answer(Connection& connection, const Request& request) {
    const auto& path = request.path;
    const bool head = request.method == "HEAD";
    if (path.ends_with("/healthz"))
        return connection.respond(flag("UNHEALTHY") ? 503 : 200, "text/plain", "ok\n", {}, head);
    if (path == "/")
        return connection.respond(200, "text/html", "<!doctype html><title>testapp</title><h1>testapp</h1>\n",
                                  {}, head);
    if (path.starts_with("/files/")) return serve_file(connection, request, "/workspace", path.substr(7));
    if (path.starts_with("/home-files/")) {
        const char* home = getenv("HOME");
        return serve_file(connection, request, home != nullptr ? home : "/tmp", path.substr(12));
    }
    if (path == "/env") return connection.respond(200, "application/json", environment_json());
    if (path == "/stream")
        return serve_stream(connection, strtoul(request.parameter("bytes", "1024").c_str(), nullptr, 10));
    if (path == "/chunked") return serve_chunked(connection, atoi(request.parameter("n", "5").c_str()));
    if (path == "/slow") {
        usleep(static_cast<useconds_t>(atoi(request.parameter("ms", "100").c_str())) * 1000);
        return connection.respond(200, "text/plain", "slow\n");
    }
    if (path.starts_with("/status/"))
        return connection.respond(atoi(path.c_str() + 8), "text/plain", "status\n", {}, head);
    if (path == "/redirect") return connection.respond(302, "", "", "Location: elsewhere\r\n");
    if (path == "/set-cookie") {
        return connection.respond(
            200, "text/plain", "cookies\n",
            "Set-Cookie: own=1; Path=/; HttpOnly\r\nSet-Cookie: other=2; Domain=localhost\r\n"
            "Set-Cookie: agentdb9_app=stolen; Path=/\r\n");
    }
    if (path == "/answer") {
        const auto extra = percent_decoded(request.parameter("head", ""));
        return connection.respond(atoi(request.parameter("status", "200").c_str()), "text/html", "as told\n",
                                  extra, head);
    }
    if (path == "/received")
        return connection.respond(
            200, "application/json",
            record().json(strtoul(request.parameter("from", "0").c_str(), nullptr, 10)));
    if (path == "/crash") _exit(1);
    return connection.respond(200, "application/json",
                              "{\"method\":" + json_text(request.method) + ",\"url\":" +
                                  json_text(request.target) + ",\"headers\":" + headers_json(request) +
                                  ",\"bodyLength\":" + std::to_string(request.body_length) + "}",
                              {}, head);
}

void serve(int socket) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection connection(socket);
    const bool recording = flag("RECORD");
    while (auto request = connection.read_head()) {
        const bool told = recording && request->path != "/healthz" && request->path != "/received";
        const auto entry = told ? record().head_came(*request) : 0;
        const bool mirrors = request->path == "/mirror";
        if (mirrors ? !connection.mirror(*request) : !connection.read_body(*request)) return;
        if (told) record().body_came(entry, request->body_length);
        if (mirrors) continue;
        if (same(request->header("Upgrade"), "websocket")) {
            serve_websocket(connection, *request);
            return;
        }
        if (!answer(connection, *request) || same(request->header("Connection"), "close")) return;
    }
}

}  // namespace

int main() {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, flag("IGNORE_TERM") ? SIG_IGN : +[](int) { _exit(0); });
    if (flag("FAIL_START")) {
        fputs("testapp: told to fail at its start\n", stderr);
        return 3;
    }
    if (const char* delay = getenv("START_DELAY")) usleep(static_cast<useconds_t>(atoi(delay)) * 1000);
    const char* port = getenv("PORT");
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(atoi(port != nullptr ? port : "8080")));
    if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener, 1024) != 0) {
        perror("testapp: cannot listen");
        return 1;
    }
    for (;;) {
        const int socket = accept(listener, nullptr, nullptr);
        if (socket >= 0) std::thread(serve, socket).detach();
    }
}
