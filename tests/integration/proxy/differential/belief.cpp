#include "belief.hpp"

#include <algorithm>

#include "http/chunked.hpp"
#include "http/head.hpp"

namespace agentdb9::test {
namespace {

using End = Believed::End;

// Takes the body off the front of `bytes`.
End take_body(std::string_view& bytes, const http::Framing& framing, std::string& body) {
    if (framing.kind == http::Framing::Kind::kNone) return End::kWhole;
    if (framing.kind == http::Framing::Kind::kLength) {
        if (bytes.size() < framing.length) return End::kCut;
        body = bytes.substr(0, framing.length);
        bytes.remove_prefix(framing.length);
        return End::kWhole;
    }
    http::ChunkedDecoder decoder;
    while (!decoder.done()) {
        if (bytes.empty()) return End::kCut;
        const auto step = decoder.step(bytes);
        if (!step) return End::kMalformed;
        body += step->data;
        bytes.remove_prefix(step->used);
    }
    return End::kWhole;
}

}  // namespace

std::vector<Believed> believe(std::string_view bytes) {
    std::vector<Believed> all;
    while (true) {
        if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
        if (bytes.empty()) return all;
        auto& request = all.emplace_back();
        const auto end = http::find_head_end(bytes, 0);
        if (!end) request.end = End::kBadHead;
        if (!end || !*end) return all;
        http::RequestHead head;
        const auto refused = http::parse_request_head(std::string(bytes.substr(0, **end)), head);
        if (refused) request.end = End::kBadHead;
        if (refused) return all;
        bytes.remove_prefix(**end);
        request.method = head.method;
        request.target = head.target;
        request.id = head.get("X-Request-Id").value_or("");
        request.end = take_body(bytes, head.framing, request.body);
        if (request.end != End::kWhole || !head.keep_alive) return all;
    }
}

}  // namespace agentdb9::test
