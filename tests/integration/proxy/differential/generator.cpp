#include "generator.hpp"

#include <algorithm>
#include <array>

#include "support/mutation.hpp"

namespace agentdb9::test {

using namespace std::string_view_literals;

std::vector<std::string_view> Stream::segments() const {
    std::vector<std::string_view> result;
    std::size_t from = 0;
    for (const auto at : cuts) {
        result.push_back(std::string_view(bytes).substr(from, at - from));
        from = at;
    }
    if (from < bytes.size()) result.push_back(std::string_view(bytes).substr(from));
    return result;
}

Generator::Generator(std::uint64_t seed, const Place& place, const Corpus& corpus)
    : random_(seed), seed_(seed), place_(place), corpus_(corpus) {}

Stream Generator::make() {
    constexpr std::array kOddness{0.0, 0.002, 0.005, 0.01, 0.03, 0.1};
    oddness_ = random_.pick(kOddness);
    Stream stream;
    for (auto left = 1 + random_.below(4); left > 0; --left)
        stream.bytes += random_.chance(0.05) ? corpus_request() : request();
    if (random_.chance(0.15)) stream.bytes = mutated(std::move(stream.bytes), corpus_.requests, random_);
    if (odd()) stream.bytes.resize(random_.below(stream.bytes.size() + 1));
    cut(stream);
    return stream;
}

// Also in the middle of a line end, and byte by byte.
void Generator::cut(Stream& stream) {
    const auto size = stream.bytes.size();
    if (size < 2) return;
    if (size < 3'000 && random_.chance(0.02)) {
        for (std::size_t at = 1; at < size; ++at)
            stream.cuts.push_back(at);
        return;
    }
    for (auto left = random_.below(6); left > 0; --left) {
        auto at = 1 + random_.below(size - 1);
        const auto line_end = stream.bytes.find('\r', at);
        if (random_.chance(0.5) && line_end != std::string::npos && line_end + 1 < size) at = line_end + 1;
        stream.cuts.push_back(at);
    }
    std::ranges::sort(stream.cuts);
    const auto twice = std::ranges::unique(stream.cuts);
    stream.cuts.erase(twice.begin(), twice.end());
}

std::string Generator::request() {
    id_ = "q" + std::to_string(seed_) + "-" + std::to_string(next_id_++);
    std::string text(usually("", {"\r\n", "\r\n\r\n", "\n", "\r", " ", "\0"sv}, 2));
    text += request_line();
    const auto made = body();
    std::vector<std::string> fields;
    if (!odd())
        fields.push_back(field("Host", usually("a.test", {"b", "", "a.test:80", "a.test, b", "a/b",
                                                          "a.test\t", "[::1]", "a@b", "a b"})));
    if (odd()) fields.push_back(field("Host", "a.test"));
    if (!odd()) fields.push_back(place_.credential);
    fields.push_back(field("X-Request-Id", id_));
    fields.push_back(made.fields);
    fields.push_back(other_fields());
    // The order is of no matter, or should be.
    for (std::size_t i = fields.size(); i > 1; --i)
        std::swap(fields[i - 1], fields[random_.below(i)]);
    // HTTP/0.9 has none.
    if (!odd(0.2))
        for (const auto& each : fields)
            text += each;
    text += usually("\r\n", {"\n", "\r", "", " \r\n", "\r\n\r\n", "\r\r\n", "\t\r\n"});
    return text + made.bytes;
}

std::string Generator::request_line() {
    std::string text(any({"GET", "POST", "POST", "PUT", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"}));
    if (odd())
        text = any({"get", "PoST", "G=T", "M-SEARCH", "CONNECT", "TRACE", "PRI", "", "GET\t", "GE(T",
                    "GET:", "\x80"sv, "P\0ST"sv, "_", "POST\v", "connect"});
    text += usually(" ", {"  ", "\t", "", "\v", "\r", " \t"});
    text += target();
    text += usually(" ", {"  ", "\t", "", "\xa0", "\n", " x "});
    text += usually("HTTP/1.1",
                    {"HTTP/1.0", "HTTP/1.0", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "http/1.1", "HTTP/1.10",
                     "HTTP/01.1", "HTTP/1.1 ", "HTTP/1.1\t", "HTTP /1.1", "", "HTTP/1.1.1", "HTTP/1,1",
                     "HTTP/1.2", "HTTP/1.9", "HTTP/ 1.1", "HTP/1.1", "RTSP/1.0"},
                    2);
    return text + line_end();
}

std::string Generator::target() {
    const auto path = place_.prefix + "/" + id_;
    if (!odd(2)) return path + std::string(any({"", "", "/", "?a=b", "?", "/x.y/~z", "?q=%20&r=/"}));
    if (odd(1))
        return std::string(any({"*", "", "/", "x", "//", "http://", "a.test:80", "/%zz", "?x", "\\"}));
    if (odd(5))
        return std::string(
                   any({"http://a.test", "HTTP://a.test", "https://A.test", "http://b", "http://x@a.test",
                        "http://a.test:80", "http:/", "ws://a.test", "http://a.test?"})) +
               path;
    return path + std::string(any({"/../x", "/./x",      "//x",       "/%2e%2e/x",  "/%00",  "/%0d%0a",
                                   "/\\x",  "#f",        "/%",        "/\xc3\xa9",  "/\x01", "/\x7f",
                                   "\t",    "?a b",      "/a;b=c",    "/{}|^`<>\"", "?%",    "/x?y?z",
                                   "/\0"sv, "/HTTP/1.1", "/%2F..%2f", "/....//"}));
}

std::string Generator::line_end() {
    return std::string(usually("\r\n", {"\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", " \r\n", "\0\r\n"sv,
                                        "", "\v\r\n", "\r\nX\r\n", "\r\n:\r\n", "\x85"}));
}

std::string Generator::recased(std::string_view name) {
    std::string text(name);
    for (char& c : text)
        if (random_.chance(0.5) && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::string Generator::field(std::string_view name, std::string_view value, double weight) {
    std::string text(usually("", {" ", "\t", "\0"sv, "\v", "X", "\r", "\n", ":"}, weight / 2));
    text += odd(weight) ? recased(name) : std::string(name);
    // A name that only nearly is one.
    if (odd(weight / 2) && !name.empty()) {
        const auto at = 1 + random_.below(text.size());
        text.insert(at, any({" ", "\t", "\0"sv, "-", "_", "\x80"sv, "\r", "\n"}));
    }
    if (odd(weight / 4)) std::ranges::replace(text, '-', '_');
    text += usually(": ",
                    {":", " : ", ":  ", "\t: ", ": \t", ":\v", ":\0"sv, "", "::", ":\r\n ", ":\n ", ": \r",
                     ":\xa0", ":\f", " :"},
                    weight);
    text += value;
    text += usually("", {" ", "\t", " \t ", "\0"sv, "\v", "\x7f", "\x80"sv, ",", ";", "\r", "\r\n x", "\x01"},
                    weight);
    return text + line_end();
}

std::string Generator::other_fields() {
    std::string text;
    for (auto left = random_.below(4); left > 0; --left)
        text += other_field();
    return text;
}

// Some have a second one that belongs to it.
std::string Generator::other_field() {
    switch (random_.below(12)) {
        case 0:
            return field("Connection", any({"keep-alive", "keep-alive", "close", "Upgrade",
                                            "Transfer-Encoding", "Content-Length", "close, Content-Length",
                                            "keep-alive, Transfer-Encoding, X-Request-Id", "Host", "TE",
                                            "X-A, , X-B", "Expect, close", ",", "\"close\""}));
        case 1: {
            auto text =
                field("TE", any({"trailers", "gzip, chunked", "trailers, deflate;q=0.5", "chunked", ""}));
            return text += field("Connection", any({"TE", "te, keep-alive", "X"}));
        }
        case 2:
            return field("Expect", any({"100-continue", "100-Continue", "100-continue, x", "200-ok", "100"}));
        case 3: {
            auto text =
                field("Upgrade", any({"websocket", "h2c", "WebSocket", "foo/1", "TLS/1.0, websocket", ""}));
            text += field("Connection", any({"Upgrade", "upgrade, keep-alive", "keep-alive"}));
            if (random_.chance(0.5))
                text +=
                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                    "Origin: http://a.test\r\n";
            return text;
        }
        case 4:
            return field("Trailer", any({"X-T", "Content-Length", "Transfer-Encoding", ""}));
        case 5:
            return corpus_line();
        case 6:
            return field("Cookie", any({"a=b", "a=\"b;c\"", "; ;", "a=b\t;c"}));
        case 7:
            return field("X-Long", std::string(random_.below(9'000), 'x'));
        case 8:
            return odd(4) ? field("", "empty") : field("X-Empty", "");
        case 9:
            return field(any({"X-Forwarded-For", "x_forwarded_for", "Forwarded", "X-Real-IP", "Via"}),
                         "1.2.3.4");
        case 10:
            return field(any({"Content-Lengt", "Content_Length", "XContent-Length", "Content-Length-X",
                              "X-Transfer-Encoding", "Transfer_Encoding", "Transfer-Encodin"}),
                         any({"3", "chunked", "0"}));
        default:
            return field("Accept", any({"*/*", "text/html", "a\tb", "\xc3\xa9", "\"x\\\"", "(comment"}));
    }
}

std::string Generator::corpus_line() {
    const auto& text = random_.pick(corpus_.requests);
    std::vector<std::string_view> lines;
    for (std::size_t at = text.find("\r\n"); at != text.npos;) {
        const auto next = text.find("\r\n", at + 2);
        if (next == text.npos || next == at + 2) break;
        lines.push_back(std::string_view(text).substr(at + 2, next - at));
        at = next;
    }
    return lines.empty() ? std::string() : std::string(random_.pick(lines));
}

// One of the corpus as it is, but for this application.
std::string Generator::corpus_request() {
    id_ = "q" + std::to_string(seed_) + "-" + std::to_string(next_id_++);
    auto text = random_.pick(corpus_.requests);
    const auto one = text.find(' ');
    const auto two = text.find(' ', one + 1);
    const auto line = text.find("\r\n");
    if (one == text.npos || two == text.npos || line == text.npos || line < two) return text;
    text.insert(line + 2, place_.credential + "X-Request-Id: " + id_ + "\r\n");
    text.replace(one + 1, two - one - 1, place_.prefix + "/" + id_);
    return text;
}

}  // namespace agentdb9::test
