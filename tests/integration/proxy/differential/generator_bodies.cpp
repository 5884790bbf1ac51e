#include <algorithm>

#include "generator.hpp"

namespace agentdb9::test {

using namespace std::string_view_literals;

namespace {

std::string hex(std::size_t number) {
    std::string text;
    do
        text.insert(text.begin(), "0123456789abcdef"[number % 16]);
    while ((number /= 16) > 0);
    return text;
}

}  // namespace

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
        case 8:
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
    if (random_.chance(0.1))
        std::ranges::transform(digits, digits.begin(), [](char c) { return c >= 'a' ? char(c - 32) : c; });
    if (random_.chance(0.05)) digits = std::string(any({"0", "00000", "00000000"})) + digits;
    if (odd(3))
        digits = std::string(any({"00000000000000", "0000000000000000000", "0x", "+", "-", " ", "\t", "\v",
                                  "1", "f", "fffffff", "fffffffffffffff", "ffffffffffffffff",
                                  "1000000000000000", "10000000000000000"})) +
                 digits;
    if (odd(3)) digits += any({" ", "\t", "\v", "x", "h", ".0", "\0"sv, ",", "\xa0", "  ;x", "\"", "_"});
    if (random_.chance(0.1))
        digits += any({";", ";x", ";a=b", ";a=\"b\"", ";a=\"b;c\"", ";a=\"\\\"\"", ";a=\"", ";;", "; a = b",
                       ";\t", ";\x80"sv, ";=", ";a=b;c=d"});
    if (odd(3))
        digits += any({";a=\"\r\n\"", ";\r", ";\n", ";a\0b"sv, ";x\r\r", ";a=\"\n\"", ";\x01", ";\x7f"});
    return digits + std::string(usually("\r\n", {"\n", "\r", "\r\r\n", "\n\r\n", "", " \r\n", "\r\n "}, 3));
}

std::string Generator::chunks(const std::string& content) {
    std::string text;
    std::string_view left = content;
    while (!left.empty()) {
        const auto size = random_.chance(0.5) ? left.size() : 1 + random_.below(left.size());
        const auto said = odd(2) ? random_.below(2 * size + 2) : size;
        text += chunk_size(said);
        text += left.substr(0, size);
        text += usually("\r\n",
                        {"\n", "", "\r", "x\r\n", "\r\n\r\n", "\0\n"sv, "\r\n ", "\n\n", "\r\r", "ab"}, 3);
        left.remove_prefix(size);
    }
    if (odd(0.5)) return text;
    text += chunk_size(0);
    text += trailers();
    return text + std::string(usually("\r\n", {"\n", "", "\r", "\r\n\r\n", "\0\r\n"sv, " \r\n"}, 3));
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
