#include "http/chunked.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace agentdb9::http {
namespace {

constexpr int kMaxDigits = 15;  // below 2^60: no sum of sizes overflows
constexpr std::size_t kMaxExtension = 4096;
constexpr std::size_t kMaxTrailers = 16UL * 1024;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::unexpected<HeadError> bad(std::string_view reason) {
    return std::unexpected(HeadError{400, reason});
}

bool is_text(char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

}  // namespace

std::expected<ChunkedDecoder::Step, HeadError> ChunkedDecoder::step(std::string_view input) {
    Step step;
    while (step.used < input.size() && state_ != State::kDone) {
        if (state_ == State::kData) {
            auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - step.used));
            step.data = input.substr(step.used, size);
            step.used += size;
            left_ -= size;
            if (left_ == 0) state_ = State::kDataReturn;
            return step;
        }
        auto before = state_;
        if (auto taken = take_frame_byte(input[step.used]); !taken) return std::unexpected(taken.error());
        ++step.used;
        if (state_ == State::kTrailer && before != State::kTrailer) return step;
    }
    return step;
}

std::expected<void, HeadError> ChunkedDecoder::take_frame_byte(char c) {
    switch (state_) {
        case State::kSize:
            if (int value = hex_value(c); value >= 0) {
                if (++digits_ > kMaxDigits) return bad("the size of a chunk is too large");
                left_ = left_ * 16 + static_cast<std::uint64_t>(value);
                return {};
            }
            if (digits_ == 0) return bad("a chunk has no size");
            if (c == ';') {
                state_ = State::kExtension;
                extension_size_ = 0;
            } else if (c == '\r') {
                state_ = State::kSizeLineFeed;
            } else {
                return bad("the size of a chunk is not hexadecimal");
            }
            return {};
        case State::kExtension:
            if (c == '\r') {
                state_ = State::kSizeLineFeed;
                return {};
            }
            if (!is_text(c)) return bad("a control character in a chunk extension");
            if (++extension_size_ > kMaxExtension) return bad("a chunk extension is too long");
            return {};
        case State::kSizeLineFeed:
            if (c != '\n') return bad("the line of a chunk's size does not end with CRLF");
            state_ = left_ == 0 ? State::kTrailer : State::kData;
            digits_ = 0;
            return {};
        case State::kDataReturn:
            if (c != '\r') return bad("a chunk is longer than its size");
            state_ = State::kDataLineFeed;
            return {};
        case State::kDataLineFeed:
            if (c != '\n') return bad("a chunk does not end with CRLF");
            state_ = State::kSize;
            return {};
        case State::kTrailer:
            if (trailers_.size() == kMaxTrailers) return bad("the trailer section is too long");
            if (c == '\n' && !trailers_.ends_with('\r')) return bad("a trailer line ends with LF alone");
            if (trailers_.ends_with('\r') && c != '\n') return bad("a carriage return in a trailer line");
            trailers_ += c;
            if (trailers_ == "\r\n" || trailers_.ends_with("\r\n\r\n")) {
                trailers_.resize(trailers_.size() - 2);
                state_ = State::kDone;
            }
            return {};
        case State::kData:
        case State::kDone:
            break;
    }
    return {};
}

std::string chunk_header(std::size_t size) {
    std::array<char, 18> text{};
    auto end = std::to_chars(text.data(), text.data() + 16, size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    return {text.data(), end};
}

}  // namespace agentdb9::http
