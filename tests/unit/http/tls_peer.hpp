// A stream that speaks TLS on one end of a socket pair, and OpenSSL as a client on the other, in a thread of
// its own.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include "sockets.hpp"
#include "tls_files.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace agentdb9::test {

// How a client's read ended.
enum class ClientEnd { kData, kCloseNotify, kCut };

// Blocking calls, for the client's thread.
class TlsClient {
  public:
    // `newest`: TLS1_2_VERSION and the like; 0: any.
    explicit TlsClient(int descriptor, int newest = 0);
    ~TlsClient();
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    bool connect();
    void send(std::string_view bytes);
    // Up to `most` bytes; fewer when the end comes before. `pieces`: at a time.
    std::string receive(std::size_t most, std::size_t pieces = 16384);
    // Both ways at once, as each goes.
    std::string exchange(std::string_view bytes, std::size_t expected);
    ClientEnd end_of_reading();
    void close_notify();
    std::string protocol() const;  // of ALPN
    ssl_st* native() { return session_; }

  private:
    int descriptor_;
    ssl_ctx_st* context_;
    ssl_st* session_;
};

struct TlsPair : StreamPair {
    TlsPair();
    ~TlsPair();
    // What the client does; joined by finish() or at the end.
    void client(std::function<void(TlsClient&)> work, int newest = 0);
    void finish();
    // True when the handshake succeeded.
    http::IoResult<> start_tls();

    TlsFolder folder;
    http::TlsContextPtr context;
    std::thread thread;
};

}  // namespace agentdb9::test
