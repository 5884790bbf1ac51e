// Large bodies of known length, from socket to socket within the kernel. On the thread of the streams' loop.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "http/body.hpp"
#include "http/stream.hpp"

namespace agentdb9::proxy {

// Bytes; less is not worth a pipe.
inline constexpr std::uint64_t kLargeBody = 128UL * 1024;

// Whether there is a way without the process: TLS has none.
inline bool can_splice(const http::Stream& from, const http::Stream& to) {
    return !from.is_secure() && !to.is_secure();
}

// How far it came.
struct Spliced {
    enum class End {
        kWhole,
        kInterrupted,  // by from.interrupt(), between two pieces: another call goes on
        kFromFailed,   // kReset when it ended before the body's end, kTimeout when it was silent for too long
        kToFailed,
    };
    End end = End::kWhole;
    http::IoError error{};  // of the last two
};

// Passes what is outstanding of `body`, which `from` brings, and waits for each piece at most `stall`;
// absent: as long as it takes. With anything but kWhole `to` has less than it was told to expect.
Task<Spliced> splice_body(http::Stream& from, http::Stream& to, http::BodyReader& body,
                          std::optional<std::chrono::milliseconds> stall);

}  // namespace agentdb9::proxy
