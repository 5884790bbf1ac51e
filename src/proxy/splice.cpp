#include "proxy/splice.hpp"

#include <algorithm>

namespace agentdb9::proxy {

using http::IoError;
using http::IoResult;

namespace {

// Pieces in a row, before others have their turn.
constexpr int kPieces = 8;

// The whole of what the pipe holds.
Task<IoResult<>> empty_into(http::Stream& to, const http::Pipe& pipe, std::size_t held, bool more) {
    while (true) {
        const auto sent = to.try_send_from(pipe, held, more);
        if (!sent) co_return std::unexpected(sent.error());
        held -= *sent;
        if (held == 0) co_return IoResult<>();
        if (*sent > 0) continue;
        if (auto ready = co_await to.wait_writable(); !ready) co_return ready;
    }
}

Spliced from_failed(IoError error) {
    if (error == IoError::kCancelled) return {Spliced::End::kInterrupted, error};
    return {Spliced::End::kFromFailed, error == IoError::kEnd ? IoError::kReset : error};
}

// By way of the process, where the system has no pipe.
Task<Spliced> copy_body(http::Stream& to, http::BodyReader& body, http::Loop& loop,
                        std::optional<std::chrono::milliseconds> stall) {
    for (int pieces = 1; !body.done(); ++pieces) {
        if (pieces % kPieces == 0) co_await loop.give_way();
        const auto piece = co_await body.next(stall ? loop.after(*stall) : http::kNever);
        if (!piece) co_return from_failed(piece.error());
        if (auto sent = co_await to.send(piece->bytes); !sent)
            co_return Spliced{Spliced::End::kToFailed, sent.error()};
        body.consume(*piece);
    }
    co_return Spliced{};
}

}  // namespace

Task<Spliced> splice_body(http::Stream& from, http::Stream& to, http::BodyReader& body,
                          std::optional<std::chrono::milliseconds> stall) {
    auto& loop = from.loop();
    auto pipe = loop.take_pipe();
    if (!pipe) co_return co_await copy_body(to, body, loop, stall);
    for (int pieces = 1; !body.done(); ++pieces) {
        if (pieces % kPieces == 0) co_await loop.give_way();
        const auto left = body.outstanding();
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, pipe->capacity));
        const auto got = from.try_recv_into(*pipe, most);
        if (!got) co_return from_failed(got.error());
        if (*got == 0) {
            const auto ready = co_await from.wait_readable(stall ? loop.after(*stall) : http::kNever);
            if (ready) continue;
            loop.give_pipe(std::move(*pipe));  // it is empty
            co_return from_failed(ready.error());
        }
        if (auto sent = co_await empty_into(to, *pipe, *got, *got < left); !sent)
            co_return Spliced{Spliced::End::kToFailed, sent.error()};
        body.passed(*got);
    }
    loop.give_pipe(std::move(*pipe));
    co_return Spliced{};
}

}  // namespace agentdb9::proxy
