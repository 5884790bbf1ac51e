// What a relayed message's head becomes on its way. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "http/head.hpp"
#include "proxy/confinement.hpp"

namespace agentdb9::proxy {

inline constexpr std::string_view kTicketParameter = "agentdb9_ticket";
inline constexpr std::string_view kShareParameter = "agentdb9_share";

// What the upstream is told about the client; of texts that others own.
struct Forwarding {
    std::string_view peer;      // of the connection
    bool trusted_peer = false;  // what it says in X-Forwarded-For|Host|Prefix is kept and added to
    std::string_view scheme;    // "http" or "https"
    std::string_view prefix;    // of the door
    std::string_view host;      // what Host becomes when the client sent none (HTTP/1.0)
    bool pass_authorization = false;
    std::string_view upgrade;  // the protocol asked for; empty: none
    std::string_view request_id;
};

// The request head for the upstream, whole. `target`: path and query there.
std::string upstream_request_head(const http::RequestHead& head, std::string_view target,
                                  const Forwarding& forwarding);

enum class ClientFraming {
    kAsIs,        // Content-Length or chunked as the upstream sent it, or none
    kChunked,     // the upstream ends by closing: chunks are made for the client
    kUntilClose,  // HTTP/1.0 client: no chunks
};

// The response head for the client, whole. `connection`: "close", "keep-alive" or empty for no such field.
std::string client_response_head(const http::ResponseHead& head, const Confinement& confinement,
                                 ClientFraming framing, std::string_view connection,
                                 std::string_view request_id);
// An interim (1xx) or switching (101) head for the client.
std::string client_interim_head(const http::ResponseHead& head, std::string_view request_id);

// The trailer lines that may be passed on; `lines` as http::BodyReader::trailers() gives them.
std::string passable_trailers(std::string_view lines);

// What is passed on behind a target's path: its query with the '?', without our ticket and link. An empty
// query stays one (RFC 9110 section 7.7); one of tickets only is none.
std::string query_part_without_ticket(std::string_view target);
// `query` without our ticket and link; and the one of these parameters, when it is there, percent-decoded.
std::string query_without_ticket(std::string_view query);
std::string ticket_in(std::string_view query, std::string_view parameter = kTicketParameter);

// All values of our cookie of this name, in order.
std::vector<std::string_view> application_cookies(const http::RequestHead& head,
                                                  std::string_view name = kApplicationCookie);

}  // namespace agentdb9::proxy
