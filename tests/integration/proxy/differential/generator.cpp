#include "generator.hpp"

#include <algorithm>
#include <array>

#include "support/mutation.hpp"

namespace agentdb9::test {
namespace {

using namespace std::string_view_literals;

std::string hex(std::size_t number) {
    std::string text;
    do
        text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    while ((number /= 16) > 0);
    return text;
}

}  // namespace

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
    for (auto left = random_.below(4); left > 0; --left) {
        switch (random_.below(12)) {
            case 0:
                text +=
                    field("Connection", any({"keep-alive", "keep-alive", "close", "Upgrade",
                                             "Transfer-Encoding", "Content-Length", "close, Content-Length",
                                             "keep-alive, Transfer-Encoding, X-Request-Id", "Host", "TE",
                                             "X-A, , X-B", "Expect, close", ",", "\"close\""}));
                break;
            case 1:
                text +=
                    field("TE", any({"trailers", "gzip, chunked", "trailers, deflate;q=0.5", "chunked", ""}));
                text += field("Connection", any({"TE", "te, keep-alive", "X"}));
                break;
            case 2:
                text += field("Expect",
                              any({"100-continue", "100-Continue", "100-continue, x", "200-ok", "100"}));
                break;
            case 3:
                text += field("Upgrade",
                              any({"websocket", "h2c", "WebSocket", "foo/1", "TLS/1.0, websocket", ""}));
                text += field("Connection", any({"Upgrade", "upgrade, keep-alive", "keep-alive"}));
                if (random_.chance(0.5))
                    text +=
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                        "Origin: http://a.test\r\n";
                break;
            case 4:
                text += field("Trailer", any({"X-T", "Content-Length", "Transfer-Encoding", ""}));
                break;
            case 5:
                text += corpus_line();
                break;
            case 6:
                text += field("Cookie", any({"a=b", "a=\"b;c\"", "; ;", "a=b\t;c"}));
                break;
            case 7:
                text += field("X-Long", std::string(random_.below(9'000), 'x'));
                break;
            case 8:
                text += odd(4) ? field("", "empty") : field("X-Empty", "");
                break;
            case 9:
                text += field(any({"X-Forwarded-For", "x_forwarded_for", "Forwarded", "X-Real-IP", "Via"}),
                              "1.2.3.4");
                break;
            case 10:
                text += field(any({"Content-Lengt", "Content_Length", "XContent-Length", "Content-Length-X",
                                   "X-Transfer-Encoding", "Transfer_Encoding", "Transfer-Encodin"}),
                              any({"3", "chunked", "0"}));
                break;
            default:
                text += field("Accept", any({"*/*", "text/html", "a\tb", "\xc3\xa9", "\"x\\\"", "(comment"}));
        }
    }
    return text;
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

// What a reader would take for a request of its own, if it were mistaken about where this one ends.
std::string Generator::smuggled() {
    return "GET " + place_.prefix + "/smuggled-" + id_ + " HTTP/1.1\r\nHost: a.test\r\n" + place_.credential +
           "X-Request-Id: smuggled-" + id_ + "\r\n\r\n";
}

std::string Generator::content() {
    switch (random_.below(12)) {
        case 0:
            return "";
        case 1:
            return smuggled();
        case 2:
            return "0\r\n\r\n" + smuggled();
        case 3:
            return "\r\n\r\n" + smuggled();
        case 4:
            return "5\r\nabcde\r\n0\r\n\r\n";
        case 5:
            return std::string(random_.below(random_.chance(0.2) ? 150'000 : 9'000), 'y');
        case 6:
            return "\r\n";
        case 7:
            return std::string("\0\n\r\r\n\x80\xff", 7);
        default:
            return std::string(1 + random_.below(40), 'z');
    }
}

Generator::Body Generator::body() {
    switch (random_.below(10)) {
        case 0:
        case 1:
        case 2:
            return odd() ? Body{{}, content()} : Body{};
        case 3:
        case 4:
            return with_length();
        case 5:
        case 6:
        case 7:
            return chunked();
        default:
            return oddness_ > 0 ? classic() : chunked();
    }
}

Generator::Body Generator::with_length() {
    auto text = content();
    auto fields = field("Content-Length", length_value(text.size()), 2);
    if (odd()) text.resize(random_.below(text.size() + 1));
    if (odd()) text += any({"\r\n", "x", "\n", "\0"sv});
    return {fields, text};
}

Generator::Body Generator::chunked() {
    return {field("Transfer-Encoding", coding(), 2), chunks(content())};
}

// The shapes of which servers have been known to think differently.
Generator::Body Generator::classic() {
    const auto text = content();
    const auto length = std::to_string(text.size());
    const auto in_chunks = chunks(text);
    const auto whole = std::to_string(in_chunks.size());
    const auto te = [&] { return field("Transfer-Encoding", coding(), 3); };
    const auto cl = [&](std::string_view value) { return field("Content-Length", value, 3); };
    switch (random_.below(10)) {
        case 0:  // CL.TE: the length covers what the chunks do not
            return {cl(std::to_string(in_chunks.size() + 20)) + te(), in_chunks + smuggled()};
        case 1:  // TE.CL
            return {te() + cl(any({"0", "3", "4"})), in_chunks};
        case 2:
            return {cl(whole) + te(), in_chunks};
        case 3:  // TE.TE
            return {
                te() + field("Transfer-Encoding", any({"identity", "chunked", "x", "gzip", "", "cow"}), 3),
                in_chunks};
        case 4:
            return {field("Transfer-Encoding", any({"identity", "gzip", "x", ""}), 3) + te(), in_chunks};
        case 5:
            return {cl(length) + cl(random_.chance(0.5) ? std::string_view(length) : any({"0", "1", "007"})),
                    text};
        case 6:
            return {cl(length + std::string(any({", ", ",", " ", ";", ", , "})) + length), text};
        case 7:
            return {cl(length_value(text.size())), text};
        case 8:  // hidden from whoever reads lines otherwise
            return {field("X-Hide", std::string("y") +
                                        std::string(any({"\r", "\n", "\r\n ", "\r\r\n", "\0"sv, "\v"})) +
                                        "Transfer-Encoding: chunked"),
                    in_chunks};
        default:  // named in Connection, so that it would not be passed on
            return {random_.chance(0.5) ? te() + field("Connection", "Transfer-Encoding")
                                        : cl(length) + field("Connection", "close, Content-Length"),
                    in_chunks};
    }
}

std::string Generator::length_value(std::size_t size) {
    const auto usual = std::to_string(size);
    if (!odd(2)) return usual;
    switch (random_.below(4)) {
        case 0:
            return std::string(any({"+", "-", "0", "00000000000000000", "0x", " ", "\v", "\"",
                                    "0000000000000000000000", "1", "\xd9\xa3"})) +
                   usual;
        case 1:
            return usual +
                   std::string(any({".0", "e0", " ", "\v", "\"", ",", ", 0", " 0", ";", "\0"sv, "L", "%30"}));
        case 2:
            return "0x" + hex(size);
        default:
            return std::string(
                any({"", "99999999999999999999", "18446744073709551616", "-1", "4294967296",
                     "9223372036854775807", "9223372036854775808", "999999999999999999", "a"}));
    }
}

std::string Generator::coding() {
    if (!odd(2)) return odd() ? recased("chunked") : "chunked";
    return std::string(any({"Chunked",
                            "CHUNKED",
                            "xchunked",
                            "chunkedx",
                            "chunked, chunked",
                            "identity",
                            "identity, chunked",
                            "chunked, identity",
                            "gzip, chunked",
                            "chunked, gzip",
                            "chunked;q=1",
                            "chunked ; q=1",
                            "\"chunked\"",
                            "'chunked'",
                            "chunked\t",
                            "\vchunked",
                            "chunked\v",
                            "chunked\0"sv,
                            "\xa0"
                            "chunked",
                            ", chunked",
                            "chunked,",
                            ",chunked",
                            "chunked, ",
                            "",
                            "cHuNkEd",
                            "chun\r\n ked",
                            "chunked\r\n identity",
                            "\r\n chunked",
                            "chunKed",
                            "ch\xc5\xbfunked",
                            "deflate",
                            "trailers"}));
}

std::string Generator::chunk_size(std::size_t size) {
    auto digits = hex(size);
    if (odd())
        std::ranges::transform(digits, digits.begin(), [](char c) { return c >= 'a' ? char(c - 32) : c; });
    if (odd())
        digits = std::string(any({"0", "00000", "00000000000000", "0000000000000000000", "0x", "+", "-", " ",
                                  "\t", "\v", "1", "f", "fffffff", "fffffffffffffff", "ffffffffffffffff",
                                  "10000000000000000"})) +
                 digits;
    if (odd()) digits += any({" ", "\t", "\v", "x", "h", ".0", "\0"sv, ",", "\xa0", "  ;x", "\"", "_"});
    if (odd(3) || random_.chance(0.1))
        digits += any({";", ";x", ";a=b", ";a=\"b\"", ";a=\"b;c\"", ";a=\"\\\"\"", ";a=\"", ";;", "; a = b",
                       ";\t", ";a=\"\r\n\"", ";\r", ";\n", ";a\0b"sv, ";\x80"sv, ";x\r\r", ";=", ";a=b;c=d"});
    return digits + std::string(usually("\r\n", {"\n", "\r", "\r\r\n", "\n\r\n", "", " \r\n", "\r\n "}));
}

std::string Generator::chunks(const std::string& content) {
    std::string text;
    std::string_view left = content;
    while (!left.empty()) {
        const auto size = random_.chance(0.5) ? left.size() : 1 + random_.below(left.size());
        const auto said = odd() ? random_.below(2 * size + 2) : size;
        text += chunk_size(said);
        text += left.substr(0, size);
        text += usually("\r\n", {"\n", "", "\r", "x\r\n", "\r\n\r\n", "\0\n"sv, "\r\n "});
        left.remove_prefix(size);
    }
    if (odd(0.5)) return text;
    text += chunk_size(0);
    text += trailers();
    return text + std::string(usually("\r\n", {"\n", "", "\r", "\r\n\r\n", "\0\r\n"sv, " \r\n"}));
}

std::string Generator::trailers() {
    if (odd(2)) return random_.pick(corpus_.chunked);
    std::string text;
    if (!odd(4) && !random_.chance(0.15)) return text;
    for (auto left = 1 + random_.below(3); left > 0; --left)
        text += field(any({"X-T", "Checksum", "Content-Length", "Transfer-Encoding", "Host", "Trailer",
                           "X-Request-Id", "Connection", "Cookie"}),
                      any({"5", "chunked", "a", "", "close", "x\ty"}));
    return text;
}

}  // namespace agentdb9::test
