// What a listener needs to speak TLS: a certificate chain and its key, from PEM files. Immutable once made;
// any thread. Connections that were made with one keep it: a renewed certificate is another context.
//
// TLS 1.2 and 1.3, HTTP/1.1 by ALPN, no renegotiation and no compression.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct ssl_ctx_st;

namespace agentdb9::http {

struct TlsFiles {
    std::string certificate;  // path: the server's own certificate first, then those that it is signed with
    std::string key;          // path: without a passphrase
};

class TlsContext {
  public:
    // Reads the files. Error: a sentence that names the file and what is wrong with it; never its content.
    static std::expected<std::shared_ptr<const TlsContext>, std::string> load(const TlsFiles& files);
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    ~TlsContext();

    // Sentences for the log: an expired certificate, a key that others may read or change. It serves all the
    // same.
    const std::vector<std::string>& warnings() const { return warnings_; }
    // Of the server's own certificate: "2026-11-29T07:06:03Z".
    const std::string& expires_at() const { return expires_at_; }
    ssl_ctx_st* native() const { return context_; }

  private:
    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}

    ssl_ctx_st* context_;
    std::vector<std::string> warnings_;
    std::string expires_at_;
};

using TlsContextPtr = std::shared_ptr<const TlsContext>;

// Whether a connection's first byte may be a TLS client's: a handshake record (RFC 8446 section 5.1).
inline bool begins_tls(unsigned char first) {
    return first == 0x16;
}

}  // namespace agentdb9::http
