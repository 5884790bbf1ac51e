// Large bodies of known length, from socket to socket within the kernel. On the thread of the streams' loop.
#pragma once

#include "http/body.hpp"
#include "http/stream.hpp"

namespace agentdb9::proxy {

// Whether there is a way without the process: TLS has none.
inline bool can_splice(const http::Stream& from, const http::Stream& to) {
    return !from.is_secure() && !to.is_secure();
}

// Passes what is outstanding of `body`, which `from` brings. An error means that `to` has less than it was
// told to expect: kReset when `from` ended before its end.
Task<http::IoResult<>> splice_body(http::Stream& from, http::Stream& to, http::BodyReader& body);

}  // namespace agentdb9::proxy
