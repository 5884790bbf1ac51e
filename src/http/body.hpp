// One message's body as it comes in: found by its framing, checked, handed on in pieces without being copied.
// On the thread of the reader's loop.
#pragma once

#include <optional>
#include <string_view>

#include "http/chunked.hpp"
#include "http/head.hpp"
#include "http/stream.hpp"

namespace agentdb9::http {

class BodyReader {
  public:
    enum class Form {
        kDecoded,  // the body's own bytes
        kAsSent,   // a chunked body with its framing, up to and with the last chunk's line; without the
                   // trailers
    };
    // A piece lies in the reader's buffer until it is consumed.
    struct Piece {
        std::string_view bytes;
        std::size_t used = 0;
    };

    BodyReader(Reader& reader, Framing framing, Form form);

    // What is there without waiting; empty when nothing is. Consume it before the next call.
    IoResult<Piece> available();
    // Waits for a piece. Empty only when the body is done. kReset when it ends before its end, or is
    // malformed.
    Task<IoResult<Piece>> next(base::SteadyTime deadline);
    void consume(const Piece& piece);

    // What is still to come of a body of known length, and is not in the reader's buffer. 0 for any other.
    std::uint64_t outstanding() const;
    // So much of that went another way.
    void passed(std::uint64_t bytes);

    bool done() const { return done_; }
    // The chunked framing was wrong: half a sentence; else empty.
    std::string_view malformed() const { return malformed_; }
    // Once done: the trailer section's lines, each with its CRLF.
    const std::string& trailers() const { return decoder_.trailers(); }

  private:
    IoResult<Piece> available_chunked();

    Reader& reader_;
    Framing framing_;
    Form form_;
    ChunkedDecoder decoder_;
    std::uint64_t left_;
    bool done_;
    std::string_view malformed_;
};

}  // namespace agentdb9::http
