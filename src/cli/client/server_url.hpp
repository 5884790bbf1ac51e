// What somebody types as the address of a server, and what it means. Pure.
#pragma once

#include <string>
#include <string_view>

namespace agentdb9::cli::client {

// The address that `serve` listens on unless it is told otherwise.
inline constexpr std::string_view kLocalServer = "http://127.0.0.1:8000";

// "work.example.org" as "https://work.example.org", "localhost:8000" as "http://localhost:8000",
// "HTTPS://Host:443/" as "https://host". A path stays, without a slash at its end. Throws
// base::Error{kInvalid, "invalid_url"} for what has another scheme, a user, a query or a fragment, or is no
// address.
std::string server_url(std::string_view typed);

// Whether the host of a whole URL is this machine: localhost, 127.0.0.0/8 or ::1.
bool is_loopback_url(std::string_view url);
// Whether tokens sent there could be read on the way.
bool is_plain_and_remote(std::string_view url);

}  // namespace agentdb9::cli::client
