// How an application's answer is kept to its own part of an origin that it shares with others. Pure; any
// thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agentdb9::proxy {

// Names that are ours on every origin: "agentdb9_app" is the application cookie, all of the prefix are kept
// from applications.
inline constexpr std::string_view kCookiePrefix = "agentdb9_";
inline constexpr std::string_view kApplicationCookie = "agentdb9_app";
// What a link that is shared becomes, where each application has an origin.
inline constexpr std::string_view kLinkCookie = "agentdb9_link";
// Before both on an origin of the application's own with https: no other host below the same domain can set
// it (draft-ietf-httpbis-rfc6265bis section 4.1.3.2).
inline constexpr std::string_view kHostOnly = "__Host-";

struct Confinement {
    std::string prefix;           // "/{workspace}/{port}", without the slash at its end
    bool prefix_stripped = true;  // the application does not know of the prefix
    bool sandbox = false;         // the API's origin: the page gets an origin of its own
    bool own_origin = false;      // the whole origin is the application's; not its domain, nor its lifetime
};

// Whether a cookie of this name ("name" or "name=value") is ours, which no application sees or sets.
bool is_our_cookie(std::string_view name);

// `path` as the application wrote it → one within the prefix, also after a browser has resolved it.
std::string confined_path(std::string_view path, const Confinement& confinement);

// The value of a Set-Cookie field. Absent: the cookie is not passed on.
std::optional<std::string> confined_cookie(std::string_view cookie, const Confinement& confinement);

// A field of an answer that speaks for the whole origin, or that is ours to set.
bool is_kept_from_clients(std::string_view name, const Confinement& confinement);

}  // namespace agentdb9::proxy
