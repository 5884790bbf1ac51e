#include <algorithm>
#include <optional>
#include <string>

#include "http/chunked.hpp"
#include "http/head.hpp"
#include "http/message.hpp"
#include "proxy/relay_headers.hpp"
#include "targets.hpp"

namespace agentdb9::fuzz {
namespace {

using http::Framing;

struct HeadEnd {
    std::optional<std::size_t> at;
    int refused = 0;
    friend bool operator==(const HeadEnd&, const HeadEnd&) = default;
};

// As a session reads: pieces of `step` bytes, each looked at behind what was searched before.
HeadEnd head_end(std::string_view bytes, std::size_t step) {
    std::size_t searched = 0;
    for (std::size_t size = std::min(step, bytes.size());; size = std::min(size + step, bytes.size())) {
        auto found = http::find_head_end(bytes.substr(0, size), searched);
        if (!found) return {std::nullopt, found.error().status};
        if (*found) return {**found, 0};
        if (size == bytes.size()) return {};
        searched = size;
    }
}

struct Decoded {
    std::string body;
    std::string trailers;
    std::size_t used = 0;
    bool done = false;
    bool failed = false;
    friend bool operator==(const Decoded&, const Decoded&) = default;
};

Decoded decode(std::string_view bytes, std::size_t step) {
    http::ChunkedDecoder decoder;
    Decoded result;
    while (!bytes.empty() && !decoder.done()) {
        auto piece = bytes.substr(0, step);
        bytes.remove_prefix(piece.size());
        while (!piece.empty() && !decoder.done()) {
            auto taken = decoder.step(piece);
            // What came before the error does not depend on the split only as far as data goes.
            if (!taken) return {{}, {}, 0, false, true};
            require(taken->used > 0 && taken->used <= piece.size(), "a step takes something");
            require(taken->data.size() <= taken->used, "data is among what was taken");
            result.body += taken->data;
            result.used += taken->used;
            piece.remove_prefix(taken->used);
        }
    }
    result.done = decoder.done();
    if (result.done) result.trailers = decoder.trailers();
    return result;
}

std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

std::size_t count_fields(const http::Head& head, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count_if(
        head.fields, [&](const http::FieldView& field) { return http::iequals(field.name, name); }));
}

// A head that we made is one head: it ends where it ends, has no other line ends, and is read back.
void require_one_head(const std::string& text) {
    auto end = http::find_head_end(text, 0);
    require(end || text.size() > http::kMaxHeadSize, "a relayed head is well-formed");
    if (!end) return;
    require(*end == text.size(), "a relayed head is one head");
    require(occurrences(text, "\r\n") == occurrences(text, "\n") &&
                occurrences(text, "\r\n") == occurrences(text, "\r"),
            "a relayed head has no stray line ends");
    require(!text.contains('\0'), "a relayed head has no NUL");
}

void check_relayed_request(const http::RequestHead& head, bool trusted, bool authorized) {
    proxy::Forwarding forwarding{"192.0.2.1",   trusted,    "http",       "/p",
                                 "10.0.0.1:80", authorized, head.upgrade, "id-1"};
    auto relayed = proxy::upstream_request_head(head, head.target, forwarding);
    require_one_head(relayed);
    if (relayed.size() > http::kMaxHeadSize || head.fields.size() + 8 > http::kMaxFields) return;
    http::RequestHead read;
    require(!http::parse_request_head(relayed, read), "a relayed request is read back");
    require(read.method == head.method, "the method is the same");
    require(read.target == head.target, "the target is the same");
    require(read.framing.kind == head.framing.kind && read.framing.length == head.framing.length,
            "the body ends at the same place");
    require(head.host.empty() || read.host == head.host, "the host is the same");
    require(authorized || !read.get("Authorization"), "Authorization does not pass");
    require(!read.get("Proxy-Authorization"), "nor does Proxy-Authorization");
    require(!read.get("Expect"), "an expectation is ours to meet");
    require(proxy::application_cookies(read).empty(), "our cookie does not pass");
    require(count_fields(read, "X-Forwarded-For") == 1 && count_fields(read, "X-Request-Id") == 1,
            "what is ours is said once");
    require(trusted || read.get("X-Forwarded-For") == "192.0.2.1", "a stranger's word does not pass");
    // Relayed once more it stays the same but for what was added.
    auto again = proxy::upstream_request_head(read, read.target, forwarding);
    require_one_head(again);
}

}  // namespace

void request(std::string_view bytes) {
    auto whole = head_end(bytes, bytes.size());
    for (std::size_t step : {1UL, 2UL, 3UL, 17UL})
        require(head_end(bytes, step) == whole, "the head's end does not depend on the split");
    if (!whole.at) return;
    require(*whole.at <= http::kMaxHeadSize, "a head has a limit");
    http::RequestHead head;
    if (http::parse_request_head(std::string(bytes.substr(0, *whole.at)), head)) return;
    require(http::is_token(head.method) && head.method != "CONNECT", "a method is a token");
    require(head.target.starts_with('/') || head.target == "*", "a target is a path");
    require(count_fields(head, "Host") <= 1, "one Host at most");
    require(count_fields(head, "Content-Length") + count_fields(head, "Transfer-Encoding") <= 1,
            "one framing at most");
    for (bool trusted : {false, true})
        for (bool authorized : {false, true})
            check_relayed_request(head, trusted, authorized);
    if (head.framing.kind == Framing::Kind::kChunked) chunked(bytes.substr(*whole.at));
}

void response(std::string_view bytes) {
    auto whole = head_end(bytes, bytes.size());
    require(head_end(bytes, 1) == whole, "the head's end does not depend on the split");
    if (!whole.at) return;
    for (std::string_view method : {"GET", "HEAD"}) {
        http::ResponseHead head;
        if (http::parse_response_head(std::string(bytes.substr(0, *whole.at)), method, head)) continue;
        require(head.status >= 100 && head.status <= 999, "a status has three digits");
        for (bool sandbox : {false, true}) {
            proxy::Confinement confinement{"/w/80", true, sandbox};
            auto relayed =
                proxy::client_response_head(head, confinement, proxy::ClientFraming::kAsIs, "", "id-1");
            require_one_head(relayed);
            if (relayed.size() > http::kMaxHeadSize || head.fields.size() + 8 > http::kMaxFields) continue;
            http::ResponseHead read;
            require(!http::parse_response_head(relayed, method, read), "a relayed answer is read back");
            require(read.status == head.status, "the status is the same");
            require(read.framing.kind == head.framing.kind && read.framing.length == head.framing.length,
                    "the body ends at the same place");
            for (std::string_view name : {"Clear-Site-Data", "Strict-Transport-Security", "Alt-Svc", "NEL"})
                require(!read.get(name), "nothing speaks for the origin");
            require(count_fields(read, "X-Request-Id") == 1, "one request id");
        }
        require_one_head(proxy::client_interim_head(head, "id-1"));
    }
}

void chunked(std::string_view bytes) {
    auto whole = decode(bytes, std::max<std::size_t>(bytes.size(), 1));
    for (std::size_t step : {1UL, 2UL, 3UL, 17UL})
        require(decode(bytes, step) == whole, "a body does not depend on the split");
    if (!whole.done) return;
    require(whole.used <= bytes.size(), "a body ends within its bytes");
    // Without what follows it is the same body, and with any byte less it is none.
    require(decode(bytes.substr(0, whole.used), bytes.size()) == whole,
            "what follows a body does not belong to it");
    require(!decode(bytes.substr(0, whole.used - 1), bytes.size()).done, "a body has one end");
    auto lines = proxy::passable_trailers(whole.trailers);
    require(lines.empty() || lines.ends_with("\r\n"), "trailers are whole lines");
    require_one_head("HTTP/1.1 200 OK\r\n" + lines + "\r\n");
    // Put together anew it is read as the same.
    std::string anew;
    if (!whole.body.empty()) anew = http::chunk_header(whole.body.size()) + whole.body + "\r\n";
    anew += "0\r\n" + lines + "\r\n";
    auto read = decode(anew, anew.size());
    require(read.done && read.body == whole.body && read.used == anew.size(),
            "a body written anew is the same");
}

}  // namespace agentdb9::fuzz
