#include "tls_peer.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace agentdb9::test {

TlsClient::TlsClient(int descriptor, int newest)
    : descriptor_(descriptor), context_(SSL_CTX_new(TLS_client_method())), session_(nullptr) {
    SSL_CTX_set_verify(context_, SSL_VERIFY_NONE, nullptr);
    if (newest != 0) {
        // What is refused is to be refused by the server.
        SSL_CTX_set_security_level(context_, 0);
        SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(context_, newest);
    }
    session_ = SSL_new(context_);
    const unsigned char protocols[] = "\x02h2\x08http/1.1";
    SSL_set_alpn_protos(session_, protocols, sizeof protocols - 1);
    SSL_set_fd(session_, descriptor_);
}

TlsClient::~TlsClient() {
    SSL_free(session_);
    SSL_CTX_free(context_);
}

bool TlsClient::connect() {
    return SSL_connect(session_) == 1;
}

void TlsClient::send(std::string_view bytes) {
    if (SSL_write(session_, bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
        throw std::runtime_error("SSL_write");
}

std::string TlsClient::receive(std::size_t most, std::size_t pieces) {
    std::string all;
    std::string piece(pieces, '\0');
    while (all.size() < most) {
        std::size_t got = 0;
        if (SSL_read_ex(session_, piece.data(), std::min(pieces, most - all.size()), &got) != 1) break;
        all.append(piece, 0, got);
    }
    return all;
}

std::string TlsClient::exchange(std::string_view bytes, std::size_t expected) {
    ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
    SSL_set_mode(session_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    std::string all;
    std::string piece(16384, '\0');
    while (!bytes.empty() || all.size() < expected) {
        bool moved = false;
        std::size_t count = 0;
        if (!bytes.empty() && SSL_write_ex(session_, bytes.data(), bytes.size(), &count) == 1) {
            bytes.remove_prefix(count);
            moved = true;
        }
        if (all.size() < expected && SSL_read_ex(session_, piece.data(), piece.size(), &count) == 1) {
            all.append(piece, 0, count);
            moved = true;
        } else if (const auto error = SSL_get_error(session_, 0);
                   error == SSL_ERROR_ZERO_RETURN || error == SSL_ERROR_SSL) {
            break;
        }
        pollfd polled{descriptor_, static_cast<short>(bytes.empty() ? POLLIN : POLLIN | POLLOUT), 0};
        if (!moved) ::poll(&polled, 1, 10'000);
        ERR_clear_error();
    }
    ::fcntl(descriptor_, F_SETFL, 0);
    return all;
}

ClientEnd TlsClient::end_of_reading() {
    char byte = 0;
    ERR_clear_error();
    const int returned = SSL_read(session_, &byte, 1);
    if (returned > 0) return ClientEnd::kData;
    return SSL_get_error(session_, returned) == SSL_ERROR_ZERO_RETURN ? ClientEnd::kCloseNotify
                                                                      : ClientEnd::kCut;
}

void TlsClient::close_notify() {
    SSL_shutdown(session_);
}

std::string TlsClient::protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(session_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

TlsPair::TlsPair() {
    std::signal(SIGPIPE, SIG_IGN);
    auto loaded = http::TlsContext::load(folder.make("own"));
    if (!loaded) throw std::runtime_error(loaded.error());
    context = *loaded;
}

TlsPair::~TlsPair() {
    // A client that still waits hears of the end.
    stream->close();
    finish();
}

void TlsPair::client(std::function<void(TlsClient&)> work, int newest) {
    thread = std::thread([this, work = std::move(work), newest] {
        TlsClient client(other, newest);
        work(client);
    });
}

void TlsPair::finish() {
    if (thread.joinable()) thread.join();
}

http::IoResult<> TlsPair::start_tls() {
    using namespace std::chrono_literals;
    return run(stream->start_tls(context, loop.after(20s)));
}

}  // namespace agentdb9::test
