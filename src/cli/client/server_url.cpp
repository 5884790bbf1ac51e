#include "cli/client/server_url.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <charconv>

#include "base/error.hpp"

namespace agentdb9::cli::client {
namespace {

namespace asio = boost::asio;

// By hand: Boost.URL 1.81 reads the host of http://127.0.0.1.example.org as 127.0.0.1.
struct Parts {
    std::string scheme;  // empty where none was typed
    std::string host;    // small letters; IPv6 in its brackets
    std::string port;    // digits, or empty
    std::string path;    // with its slash, or empty
};

// What was typed may hold a password: it is not repeated.
[[noreturn]] void refuse(const std::string& why) {
    throw base::Error(
        base::ErrorCode::kInvalid, "invalid_url",
        "The server's address " + why + ": give it as https://work.example.org or http://127.0.0.1:8000.");
}

bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string lower(std::string_view text) {
    std::string small(text);
    std::ranges::transform(small, small.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return small;
}

bool is_host(const std::string& host) {
    if (host.starts_with('[')) {
        boost::system::error_code ec;
        if (!host.ends_with(']')) return false;
        const auto address = asio::ip::make_address(host.substr(1, host.size() - 2), ec);
        return !ec && address.is_v6();
    }
    return !host.empty() && std::ranges::all_of(host, [](char c) {
        return is_letter_or_digit(c) || c == '.' || c == '-' || c == '_';
    });
}

bool is_port(std::string_view text) {
    unsigned port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    return error == std::errc() && stop == end && port >= 1 && port <= 65535;
}

Parts parse(std::string_view text) {
    if (std::ranges::any_of(text, [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == '\\'; }))
        refuse("holds blanks or other characters that do not belong into one");
    if (text.find_first_of("?#") != text.npos) refuse("must not hold a query or fragment");
    Parts parts;
    if (const auto mark = text.find("://"); mark != text.npos) {
        parts.scheme = lower(text.substr(0, mark));
        text.remove_prefix(mark + 3);
        if (parts.scheme != "http" && parts.scheme != "https") refuse("must begin with http:// or https://");
    }
    const auto slash = std::min(text.find('/'), text.size());
    const auto authority = text.substr(0, slash);
    parts.path = text.substr(slash);
    if (authority.find('@') != authority.npos) refuse("must not hold a user or password");
    // A colon within brackets belongs to the address.
    const auto bracket = authority.rfind(']');
    const auto colon = authority.find(':', bracket == authority.npos ? 0 : bracket);
    parts.host = lower(authority.substr(0, colon));
    if (!is_host(parts.host)) refuse("names no host");
    if (colon != authority.npos) {
        parts.port = authority.substr(colon + 1);
        if (!is_port(parts.port)) refuse("has a wrong port");
    }
    return parts;
}

bool is_loopback(const std::string& host) {
    if (host == "localhost") return true;
    boost::system::error_code ec;
    const auto address =
        asio::ip::make_address(host.starts_with('[') ? host.substr(1, host.size() - 2) : host, ec);
    return !ec && address.is_loopback();
}

}  // namespace

std::string server_url(std::string_view typed) {
    auto parts = parse(typed);
    if (parts.scheme.empty()) parts.scheme = is_loopback(parts.host) ? "http" : "https";
    auto url = parts.scheme + "://" + parts.host;
    if (!parts.port.empty() && parts.port != (parts.scheme == "https" ? "443" : "80"))
        url += ":" + parts.port;
    url += parts.path;
    while (url.ends_with('/'))
        url.pop_back();
    return url;
}

bool is_loopback_url(std::string_view url) {
    try {
        return is_loopback(parse(url.substr(0, url.find_first_of("?#"))).host);
    } catch (const base::Error&) {
        return false;
    }
}

bool is_plain_and_remote(std::string_view url) {
    return url.starts_with("http://") && !is_loopback_url(url);
}

}  // namespace agentdb9::cli::client
