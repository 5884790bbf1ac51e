// The chunked coding (RFC 9112 section 7.1), checked strictly and without copying. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "http/head.hpp"

namespace agentdb9::http {

// Fed with what comes, in pieces of any size.
class ChunkedDecoder {
  public:
    struct Step {
        std::size_t used = 0;   // bytes of the input that this step took, framing included
        std::string_view data;  // body bytes among them, if any; within the input
    };
    // Takes bytes up to the end of one run of data, of the last chunk's size line, of the body, or of the
    // input, whichever is first.
    std::expected<Step, HeadError> step(std::string_view input);
    // The last chunk's size line has passed; what follows are trailers.
    bool in_trailers() const { return state_ == State::kTrailer; }
    bool done() const { return state_ == State::kDone; }
    // The trailer section, once done: its lines with their CRLF, without the empty one.
    const std::string& trailers() const { return trailers_; }

  private:
    enum class State { kSize, kExtension, kSizeLineFeed, kData, kDataReturn, kDataLineFeed, kTrailer, kDone };
    std::expected<void, HeadError> take_frame_byte(char c);

    State state_ = State::kSize;
    std::uint64_t left_ = 0;
    int digits_ = 0;
    std::size_t extension_size_ = 0;
    std::string trailers_;
};

// "1f40\r\n": what stands before a chunk of `size` bytes.
std::string chunk_header(std::size_t size);

}  // namespace agentdb9::http
