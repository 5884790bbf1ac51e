#include "api/content_coding.hpp"

#include <charconv>

#include "http/message.hpp"

namespace agentdb9::api {
namespace {

// "0.5" as 500; what is no weight counts as none was given.
int weight_of(std::string_view parameters) {
    constexpr int kFull = 1000;
    const auto at = parameters.find("q=");
    if (at == std::string_view::npos) return kFull;
    const auto text = http::trim(parameters.substr(at + 2));
    double weight = 1;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), weight);
    if (problem != std::errc() || weight < 0 || weight > 1) return kFull;
    return static_cast<int>(weight * kFull);
}

// Absent where the list says nothing of it.
std::optional<int> weight_in(std::string_view list, std::string_view coding) {
    std::optional<int> any;
    while (!list.empty()) {
        const auto comma = list.find(',');
        const auto element = list.substr(0, comma);
        list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
        const auto semicolon = element.find(';');
        const auto name = http::trim(element.substr(0, semicolon));
        const auto weight =
            semicolon == std::string_view::npos ? weight_of("") : weight_of(element.substr(semicolon + 1));
        if (http::iequals(name, coding)) return weight;
        if (name == "*") any = weight;
    }
    return any;
}

}  // namespace

ContentCoding best_coding(std::optional<std::string_view> accept_encoding, CodingsThere there) {
    if (!accept_encoding) return ContentCoding::kIdentity;
    const int brotli = there.brotli ? weight_in(*accept_encoding, "br").value_or(0) : 0;
    const int gzip = there.gzip ? weight_in(*accept_encoding, "gzip").value_or(0) : 0;
    const auto named = weight_in(*accept_encoding, "identity");
    // Not named it is acceptable, but what is named is preferred to it.
    const int identity = named.value_or(0);
    if (brotli > 0 && brotli >= gzip && brotli >= identity) return ContentCoding::kBrotli;
    if (gzip > 0 && gzip >= identity) return ContentCoding::kGzip;
    return ContentCoding::kIdentity;
}

std::string_view coding_name(ContentCoding coding) {
    switch (coding) {
        case ContentCoding::kBrotli:
            return "br";
        case ContentCoding::kGzip:
            return "gzip";
        case ContentCoding::kIdentity:
            return "";
    }
    return "";
}

}  // namespace agentdb9::api
