#include "http/body.hpp"

#include <algorithm>

namespace agentdb9::http {

BodyReader::BodyReader(Reader& reader, Framing framing, Form form)
    : reader_(reader),
      framing_(framing),
      form_(form),
      left_(framing.length),
      done_(framing.kind == Framing::Kind::kNone ||
            (framing.kind == Framing::Kind::kLength && framing.length == 0)) {}

IoResult<BodyReader::Piece> BodyReader::available() {
    if (done_) return Piece{};
    auto data = reader_.data();
    switch (framing_.kind) {
        case Framing::Kind::kNone:
            return Piece{};
        case Framing::Kind::kUntilClose:
            return Piece{data, data.size()};
        case Framing::Kind::kLength: {
            auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, data.size()));
            return Piece{data.substr(0, size), size};
        }
        case Framing::Kind::kChunked:
            return available_chunked();
    }
    return Piece{};
}

IoResult<BodyReader::Piece> BodyReader::available_chunked() {
    auto data = reader_.data();
    Piece piece;
    while (piece.used < data.size() && !decoder_.done()) {
        bool trailers = decoder_.in_trailers();
        auto step = decoder_.step(data.substr(piece.used));
        if (!step) {
            malformed_ = step.error().reason;
            return std::unexpected(IoError::kReset);
        }
        piece.used += step->used;
        if (form_ == Form::kAsSent) {
            if (!trailers) piece.bytes = data.substr(0, piece.used);
        } else if (!step->data.empty()) {
            piece.bytes = step->data;
            return piece;
        }
    }
    if (decoder_.done()) done_ = true;
    return piece;
}

Task<IoResult<BodyReader::Piece>> BodyReader::next(base::SteadyTime deadline) {
    while (true) {
        auto piece = available();
        if (!piece || done_ || !piece->bytes.empty()) co_return piece;
        consume(*piece);
        auto filled = co_await reader_.fill(deadline);
        if (filled) continue;
        if (filled.error() != IoError::kEnd) co_return std::unexpected(filled.error());
        if (framing_.kind != Framing::Kind::kUntilClose) co_return std::unexpected(IoError::kReset);
        done_ = true;
        co_return Piece{};
    }
}

void BodyReader::consume(const Piece& piece) {
    reader_.consume(piece.used);
    passed(piece.used);
}

std::uint64_t BodyReader::outstanding() const {
    return framing_.kind == Framing::Kind::kLength && reader_.data().empty() ? left_ : 0;
}

void BodyReader::passed(std::uint64_t bytes) {
    if (framing_.kind != Framing::Kind::kLength) return;
    left_ -= bytes;
    if (left_ == 0) done_ = true;
}

}  // namespace agentdb9::http
