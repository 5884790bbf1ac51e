#include "http/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>

namespace agentdb9::http {

// The socket as OpenSSL sees it. It keeps account of what is known of it, so that no call is made in vain and
// no event of the edge-triggered epoll is missed.
struct SocketBio {
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
        while (self.out_) {
            const auto count =
                ::send(self.descriptor_, bytes, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
            if (count >= 0) return static_cast<int>(count);
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return -1;
            self.out_ = false;
        }
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

namespace {

// A record's worth: what is sent at once.
constexpr std::size_t kRecord = SSL3_RT_MAX_PLAIN_LENGTH;

}  // namespace

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

TlsSession::Outcome TlsSession::send(std::span<std::string_view> parts, std::size_t& count) {
    if (broken_) return Outcome::kBroken;
    sending_ = Waits::kNothing;
    // Not the loop's scratch: that may be what is being sent.
    std::array<char, kRecord> gathered;
    while (true) {
        const auto bytes = next_record(parts, gathered);
        if (bytes.empty()) return owed_ == 0 ? Outcome::kDone : Outcome::kBroken;
        std::size_t sent = 0;
        ERR_clear_error();
        const int returned = SSL_write_ex(session_, bytes.data(), bytes.size(), &sent);
        if (returned != 1) {
            owed_ = bytes.size();
            const auto result = outcome(returned, sending_);
            return result == Outcome::kWaits ? result : Outcome::kBroken;
        }
        owed_ = 0;
        count += sent;
        for (auto& part : parts) {
            const auto used = std::min(sent, part.size());
            part.remove_prefix(used);
            sent -= used;
        }
    }
}

std::string_view TlsSession::next_record(std::span<const std::string_view> parts,
                                         std::span<char> room) const {
    const auto most = owed_ > 0 ? owed_ : room.size();
    std::string_view whole;
    std::size_t size = 0;
    for (const auto part : parts) {
        const auto piece = part.substr(0, most - size);
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
    // Fewer than are on their way: that is another message.
    return size < owed_ ? std::string_view() : whole;
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
