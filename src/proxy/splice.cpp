#include "proxy/splice.hpp"

#include <algorithm>

namespace agentdb9::proxy {

using http::IoError;
using http::IoResult;

namespace {

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

// By way of the process, where the system has no pipe.
Task<IoResult<>> copy_body(http::Stream& to, http::BodyReader& body) {
    while (!body.done()) {
        const auto piece = co_await body.next(http::kNever);
        if (!piece && piece.error() == IoError::kCancelled) continue;
        if (!piece) co_return std::unexpected(piece.error());
        if (auto sent = co_await to.send(piece->bytes); !sent) co_return sent;
        body.consume(*piece);
    }
    co_return IoResult<>();
}

}  // namespace

Task<IoResult<>> splice_body(http::Stream& from, http::Stream& to, http::BodyReader& body) {
    auto& loop = from.loop();
    auto pipe = loop.take_pipe();
    if (!pipe) co_return co_await copy_body(to, body);
    while (!body.done()) {
        const auto left = body.outstanding();
        const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, pipe->capacity));
        const auto got = from.try_recv_into(*pipe, most);
        if (!got) co_return std::unexpected(got.error() == IoError::kEnd ? IoError::kReset : got.error());
        if (*got == 0) {
            const auto ready = co_await from.wait_readable(http::kNever);
            if (!ready && ready.error() != IoError::kCancelled) co_return ready;
            continue;
        }
        if (auto sent = co_await empty_into(to, *pipe, *got, *got < left); !sent) co_return sent;
        body.passed(*got);
    }
    loop.give_pipe(std::move(*pipe));
    co_return IoResult<>();
}

}  // namespace agentdb9::proxy
