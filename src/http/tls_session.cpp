#include "http/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <new>
#include <utility>

namespace agentdb9::http {

namespace {

// A record's worth.
constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;
// Records that go out together. A call of the system for each costs more than to put them together: over
// loopback a fifth of what a large body takes.
constexpr std::size_t kRecordsTogether = 4;

// Fewer than are on their way: that is another message.
bool take_off(std::span<std::string_view> parts, std::size_t size) {
    for (auto& part : parts) {
        const auto used = std::min(size, part.size());
        part.remove_prefix(used);
        size -= used;
    }
    return size == 0;
}

}  // namespace

// Records that were made and not given to the socket yet. One a thread, in use during one send() only.
class TlsSession::Gathered {
  public:
    bool add(std::string_view bytes) {
        if (bytes.size() > room_.size() - size_) return false;
        std::memcpy(room_.data() + size_, bytes.data(), bytes.size());
        size_ += bytes.size();
        return true;
    }
    std::string_view bytes() const { return {room_.data(), size_}; }
    void clear() { size_ = 0; }

  private:
    std::array<char, kRecordsTogether * SSL3_RT_MAX_PACKET_SIZE> room_;
    std::size_t size_ = 0;
};

// The socket as OpenSSL sees it. It keeps account of what is known of it, so that no call is made in vain and
// no event of the edge-triggered epoll is missed.
struct SocketBio {
    using Outcome = TlsSession::Outcome;

    static TlsSession& of(BIO* bio) { return *static_cast<TlsSession*>(BIO_get_data(bio)); }

    static int read(BIO* bio, char* into, int size) {
        auto& self = of(bio);
        BIO_clear_retry_flags(bio);
        while (self.in_) {
            const auto count = ::recv(self.descriptor_, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
            if (count > 0) {
                // As in Stream::try_recv().
                if (count < size && !self.hung_up_) self.in_ = false;
                return static_cast<int>(count);
            }
            if (count == 0) {
                self.eof_ = true;
                return 0;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
            self.in_ = false;
        }
        BIO_set_retry_read(bio);
        return -1;
    }

    static int write(BIO* bio, const char* bytes, int size) {
        auto& self = of(bio);
        BIO_clear_retry_flags(bio);
        const auto length = static_cast<std::size_t>(size);
        if (self.gathered_ != nullptr) {
            if (!self.gathered_->add({bytes, length})) return -1;
            return size;
        }
        // Behind what is on its way.
        if (self.flush() == Outcome::kBroken) return -1;
        const auto sent = self.backlog_.empty() ? self.put(bytes, length) : 0;
        if (sent != 0) return static_cast<int>(sent);
        BIO_set_retry_write(bio);
        return -1;
    }

    static long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
        if (command == BIO_CTRL_FLUSH) return 1;
        if (command == BIO_CTRL_EOF) return of(bio).eof_ ? 1 : 0;
        return 0;
    }

    static BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            auto* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
            if (method == nullptr) throw std::bad_alloc();
            BIO_meth_set_read(method, read);
            BIO_meth_set_write(method, write);
            BIO_meth_set_ctrl(method, control);
            return method;
        }();
        return made;
    }
};

TlsSession::TlsSession(const TlsContext& context, int descriptor)
    : session_(SSL_new(context.native())), descriptor_(descriptor) {
    auto* bio = BIO_new(SocketBio::method());
    if (session_ == nullptr || bio == nullptr) {
        SSL_free(session_);
        BIO_free(bio);
        throw std::bad_alloc();
    }
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(session_, bio, bio);
    SSL_set_accept_state(session_);
}

TlsSession::~TlsSession() {
    SSL_free(session_);
}

TlsSession::Allows TlsSession::on_events(bool in, bool out, bool hung_up) {
    if (in) in_ = true;
    if (out) out_ = true;
    if (hung_up) hung_up_ = true;
    return {.receiving = in || (out && receiving_ == Waits::kOut),
            .sending = out || (in && sending_ == Waits::kIn)};
}

TlsSession::Outcome TlsSession::outcome(int returned, Waits& waits) {
    switch (SSL_get_error(session_, returned)) {
        case SSL_ERROR_WANT_READ:
            waits = Waits::kIn;
            return Outcome::kWaits;
        case SSL_ERROR_WANT_WRITE:
            waits = Waits::kOut;
            return Outcome::kWaits;
        case SSL_ERROR_ZERO_RETURN:
            return Outcome::kEnd;
        default:
            // Neither side can say anything any more.
            broken_ = true;
            ERR_clear_error();
            return Outcome::kBroken;
    }
}

TlsSession::Outcome TlsSession::handshake() {
    ERR_clear_error();
    receiving_ = Waits::kNothing;
    const int returned = SSL_do_handshake(session_);
    if (returned == 1) return Outcome::kDone;
    const auto result = outcome(returned, receiving_);
    return result == Outcome::kEnd ? Outcome::kBroken : result;
}

TlsSession::Outcome TlsSession::recv(std::span<char> into, std::size_t& count) {
    if (broken_) return Outcome::kBroken;
    receiving_ = Waits::kNothing;
    while (count < into.size()) {
        std::size_t got = 0;
        ERR_clear_error();
        const int returned = SSL_read_ex(session_, into.data() + count, into.size() - count, &got);
        if (returned != 1) return outcome(returned, receiving_);
        count += got;
    }
    return Outcome::kDone;
}

std::ptrdiff_t TlsSession::put(const char* bytes, std::size_t size) {
    while (out_) {
        const auto count = ::send(descriptor_, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) return count;
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
        out_ = false;
    }
    return 0;
}

TlsSession::Outcome TlsSession::flush() {
    std::string_view left(backlog_.data(), backlog_.size());
    while (!left.empty()) {
        const auto sent = put(left.data(), left.size());
        if (sent < 0) return Outcome::kBroken;
        if (sent == 0) break;
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (left.size() != backlog_.size()) backlog_ = std::vector<char>(left.begin(), left.end());
    return backlog_.empty() ? Outcome::kDone : Outcome::kWaits;
}

// 1. What is on its way from the last call goes first, and counts when all of it is gone. 2. Some records are
// made. 3. They go to the socket together; what it does not take is kept, and the bytes in it are owed.
TlsSession::Outcome TlsSession::send(std::span<std::string_view> parts, std::size_t& count) {
    if (broken_) return Outcome::kBroken;
    sending_ = Waits::kNothing;
    // Not the loop's scratch: that may be what is being sent.
    std::array<char, kRecord> room;
    thread_local const auto gathered = std::make_unique_for_overwrite<Gathered>();
    while (true) {
        const auto flushed = flush();
        if (flushed != Outcome::kDone) return wait_or_break(flushed);
        if (!take_off(parts, owed_)) return Outcome::kBroken;
        count += std::exchange(owed_, 0);
        gathered->clear();
        for (std::size_t records = 0; records < kRecordsTogether; ++records) {
            const auto bytes = next_record(parts, owed_, room);
            if (bytes.empty()) break;
            std::size_t taken = 0;
            ERR_clear_error();
            gathered_ = gathered.get();
            const int returned = SSL_write_ex(session_, bytes.data(), bytes.size(), &taken);
            gathered_ = nullptr;
            if (returned != 1) {
                outcome(returned, sending_);
                return wait_or_break(Outcome::kBroken);
            }
            owed_ += taken;
        }
        if (owed_ == 0) return Outcome::kDone;
        const auto made = gathered->bytes();
        const auto sent = put(made.data(), made.size());
        if (sent < 0) return wait_or_break(Outcome::kBroken);
        const auto left = made.substr(static_cast<std::size_t>(sent));
        backlog_.assign(left.begin(), left.end());
    }
}

TlsSession::Outcome TlsSession::wait_or_break(Outcome why) {
    if (why == Outcome::kWaits) {
        sending_ = Waits::kOut;
    } else {
        broken_ = true;
    }
    return why;
}

// The first bytes of `parts` behind `skip` that go into one record; in `room` where they are several parts'.
std::string_view TlsSession::next_record(std::span<const std::string_view> parts, std::size_t skip,
                                         std::span<char> room) {
    std::string_view whole;
    std::size_t size = 0;
    for (auto part : parts) {
        const auto skipped = std::min(skip, part.size());
        skip -= skipped;
        const auto piece = part.substr(skipped, room.size() - size);
        if (piece.empty()) continue;
        // Copied only where a record has several.
        if (size == 0) {
            whole = piece;
        } else {
            if (whole.data() != room.data()) std::memcpy(room.data(), whole.data(), size);
            std::memcpy(room.data() + size, piece.data(), piece.size());
            whole = {room.data(), size + piece.size()};
        }
        size += piece.size();
    }
    return whole;
}

TlsSession::Outcome TlsSession::say_goodbye() {
    goodbye_waits_ = false;
    if (broken_ || mute_ || owed_ > 0 || goodbye_said_ || SSL_is_init_finished(session_) != 1)
        return Outcome::kDone;
    ERR_clear_error();
    const int returned = SSL_shutdown(session_);
    if (returned < 0 && SSL_get_error(session_, returned) == SSL_ERROR_WANT_WRITE) {
        goodbye_waits_ = true;
        return Outcome::kWaits;
    }
    ERR_clear_error();
    goodbye_said_ = true;
    return Outcome::kDone;
}

bool TlsSession::holds_bytes() const {
    return SSL_has_pending(session_) == 1;
}

}  // namespace agentdb9::http
