// What is known of a request under way, for the counters and the access log. One a session, begun anew with
// each head; on its worker's thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "proxy/access_log.hpp"
#include "proxy/connection_counts.hpp"
#include "proxy/metrics.hpp"

namespace agentdb9::proxy {

struct Exchange {
    bool open = false;
    RequestKind kind = RequestKind::kInvalid;
    int status = 0;        // of the head that was sent, or is about to be; 0: none yet
    bool aborted = false;  // the answer broke off
    std::string reason;    // the refusal's word
    // Of the connection, when the request before had ended.
    std::uint64_t bytes_in_before = 0;
    std::uint64_t bytes_out_before = 0;
    // Below: only while the access log is on.
    base::SteadyTime began;
    std::string user;
    std::string workspace;
    int port = 0;
    std::chrono::nanoseconds connect{-1};
    std::chrono::nanoseconds first_byte{-1};

    // Keeps what goes on with the connection.
    void begin(RequestKind what) {
        open = true;
        kind = what;
        status = 0;
        aborted = false;
        reason.clear();
        user.clear();
        workspace.clear();
        port = 0;
        connect = first_byte = std::chrono::nanoseconds(-1);
    }
};

// A connection's places among those of its address and of its user.
struct ConnectionShares {
    ConnectionCounts::Share address;
    ConnectionCounts::Share user;
};

// What goes along with a connection that becomes a tunnel.
struct Account {
    ConnectionShares shares;
    std::unique_ptr<AccessRecord> record;  // for its line when it ends; null while the access log is off
    base::SteadyTime began;
    // Of the connection: before the request, and already in the metrics.
    std::uint64_t bytes_in_before = 0;
    std::uint64_t bytes_out_before = 0;
    std::uint64_t bytes_in_counted = 0;
    std::uint64_t bytes_out_counted = 0;
};

}  // namespace agentdb9::proxy
