// Host names of applications that have an origin each: "{port}--{workspaceId}.{domain}". Pure; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.hpp"

namespace agentdb9::model {

// RFC 1035 section 2.3.4, without the root's dot.
inline constexpr std::size_t kMaxHostName = 253;

// What is wrong with a domain to put applications under, as "must …"; empty: nothing. `domain`: lower case,
// no dot at either end; short enough for every name below it.
std::string check_applications_domain(std::string_view domain);

// "8080--{workspace}.apps.example.org"; `domain` as the check above lets it pass.
std::string application_host(const base::WorkspaceId& workspace, int port, std::string_view domain);

struct ApplicationName {
    base::WorkspaceId workspace;
    int port = 0;
    friend bool operator==(const ApplicationName&, const ApplicationName&) = default;
};

enum class HostFault {
    kElsewhere,  // the domain itself, or a name that is not below it
    kUnknown,    // below the domain, and no application's; also with a dot at its end or a port that is none
};

// `host`: a Host field's value, with or without a port, in any case. A port of the application with a zero
// before it is none: each application has one name, and so one origin.
std::expected<ApplicationName, HostFault> parse_application_host(std::string_view host,
                                                                 std::string_view domain);

// The name in "https://NAME:PORT" or in a Host field, in lower case; an IPv6 address keeps its brackets.
std::string host_name_of(std::string_view origin_or_host);
// ":8001" in the same; empty where there is none.
std::string_view port_suffix_of(std::string_view origin_or_host);

}  // namespace agentdb9::model
