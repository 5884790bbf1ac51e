#include "runtime/docker/log_frames.hpp"

#include <cstdint>

namespace agentdb9::runtime::docker {

std::string decode_log(std::string_view bytes) {
    const auto is_frame = [](std::string_view text) {
        return text.size() >= 8 && text[0] >= 0 && text[0] <= 2 && text[1] == 0 && text[2] == 0 &&
               text[3] == 0;
    };
    if (!is_frame(bytes)) return std::string(bytes);
    std::string out;
    while (is_frame(bytes)) {
        std::uint32_t length = 0;
        for (std::size_t i = 4; i < 8; ++i)
            length = length << 8 | static_cast<unsigned char>(bytes[i]);
        bytes.remove_prefix(8);
        if (length > bytes.size()) break;
        out += bytes.substr(0, length);
        bytes.remove_prefix(length);
    }
    return out;
}

FrameSplitter::Part FrameSplitter::take(std::string_view bytes) {
    constexpr std::size_t kHeader = 8;
    if (left_ > 0) {
        const auto text = bytes.substr(0, left_);
        left_ -= text.size();
        return {text.size(), text, stream_};
    }
    const auto part = bytes.substr(0, kHeader - header_.size());
    header_ += part;
    if (header_.size() == kHeader) {
        for (std::size_t i = 4; i < kHeader; ++i)
            left_ = left_ << 8 | static_cast<unsigned char>(header_[i]);
        stream_ = header_[0] == 2 ? OutputStream::kStderr : OutputStream::kStdout;
        header_.clear();
    }
    return {part.size(), {}, stream_};
}

}  // namespace agentdb9::runtime::docker
