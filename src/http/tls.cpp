#include "http/tls.hpp"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <system_error>

#include "base/descriptor.hpp"

namespace agentdb9::http {
namespace {

template <auto Free>
struct Deleter {
    template <class T>
    void operator()(T* each) const {
        Free(each);
    }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;

// Far more than any chain has.
constexpr std::size_t kMaxFile = std::size_t{1} << 20;
// Whole records of a fast sender in one read; it is given back when the connection is idle.
constexpr std::size_t kReadBuffer = std::size_t{32} << 10;
// TLS 1.2: forward secrecy and authenticated encryption only. TLS 1.3 has nothing else.
constexpr auto kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct File {
    std::string path;
    std::string text;
    mode_t mode = 0;

    ~File() { OPENSSL_cleanse(text.data(), text.size()); }
};

std::string system_error_text() {
    return std::generic_category().message(errno);
}

// Absent: read. Else what is wrong.
std::optional<std::string> read(File& file, std::string_view what) {
    const auto failed = [&](const std::string& why) {
        return "The " + std::string(what) + " " + file.path + " " + why;
    };
    // Not to wait for the other end of a pipe.
    const base::Descriptor descriptor(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!descriptor) return failed("cannot be opened: " + system_error_text() + ".");
    struct stat status{};
    if (::fstat(descriptor.get(), &status) != 0 || !S_ISREG(status.st_mode))
        return failed("is not a regular file.");
    file.mode = status.st_mode;
    // Once, so that no piece of a key stays behind where the text grew.
    file.text.resize(kMaxFile);
    std::size_t size = 0;
    while (size < kMaxFile) {
        const auto count = ::read(descriptor.get(), file.text.data() + size, kMaxFile - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed("cannot be read: " + system_error_text() + ".");
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size == kMaxFile) return failed("is larger than a PEM file can be.");
    file.text.resize(size);
    if (size == 0) return failed("is empty.");
    return std::nullopt;
}

Bio bio_of(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Never asks at a terminal.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

std::string openssl_text() {
    std::array<char, 256> text{};
    const auto code = ERR_peek_last_error();
    const auto* reason = ERR_reason_error_string(code);
    if (reason != nullptr) return reason;
    ERR_error_string_n(code, text.data(), text.size());
    return text.data();
}

std::expected<std::vector<Certificate>, std::string> certificates_in(const File& file) {
    std::vector<Certificate> chain;
    const auto bio = bio_of(file.text);
    bool asked = false;
    while (true) {
        ERR_clear_error();
        Certificate each(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, &asked));
        if (!each) break;
        chain.push_back(std::move(each));
    }
    // The end of the file, too, is told as an error.
    const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    const auto why = openssl_text();
    ERR_clear_error();
    if (!ended)
        return std::unexpected("The certificate file " + file.path + " is damaged: its certificate " +
                               std::to_string(chain.size() + 1) + " cannot be read (" + why + ").");
    if (chain.empty())
        return std::unexpected("The certificate file " + file.path +
                               " has no certificate in PEM form (-----BEGIN CERTIFICATE-----).");
    return chain;
}

std::expected<Key, std::string> key_in(const File& file) {
    ERR_clear_error();
    bool asked = false;
    const auto bio = bio_of(file.text);
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, &asked));
    ERR_clear_error();
    if (asked)
        return std::unexpected(
            "The key file " + file.path +
            " is protected by a passphrase. Write one without: openssl pkey -in OLD -out NEW.");
    if (!key)
        return std::unexpected("The key file " + file.path +
                               " has no readable private key in PEM form (-----BEGIN PRIVATE KEY-----).");
    return key;
}

std::string time_text(const ASN1_TIME* time) {
    std::tm parts{};
    if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown time";
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), size};
}

int choose_protocol(SSL* /*session*/, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* offered, unsigned offered_size, void* /*argument*/) {
    const std::string_view all(reinterpret_cast<const char*>(offered), offered_size);
    // HTTP/1.0 is what some clients say that were told to speak it.
    for (const std::string_view ours : {"http/1.1", "http/1.0"}) {
        for (std::size_t at = 0; at < all.size();) {
            const std::size_t size = static_cast<unsigned char>(all[at]);
            if (all.substr(at + 1, size) == ours) {
                *out = offered + at + 1;
                *out_size = static_cast<unsigned char>(size);
                return SSL_TLSEXT_ERR_OK;
            }
            at += 1 + size;
        }
    }
    // RFC 7301 section 3.2.
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool set_up(SSL_CTX* context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    // A send that is tried again comes with the same bytes, but not from the same place.
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_read_buffer_len(context, kReadBuffer);
    // Clients keep their sessions themselves, as tickets.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, kCiphers) == 1;
}

std::string mismatch_of(const TlsFiles& files, const std::vector<Certificate>& chain, EVP_PKEY* key) {
    for (const auto& each : chain)
        if (X509_check_private_key(each.get(), key) == 1)
            return "The certificate file " + files.certificate +
                   " has its certificates in the wrong order: the server's own comes first, then those that "
                   "it "
                   "is signed with.";
    return "The key " + files.key + " does not belong to the certificate " + files.certificate + ".";
}

}  // namespace

std::expected<TlsContextPtr, std::string> TlsContext::load(const TlsFiles& files) {
    File certificate_file{files.certificate, {}, 0};
    File key_file{files.key, {}, 0};
    if (auto wrong = read(certificate_file, "certificate file")) return std::unexpected(*wrong);
    if (auto wrong = read(key_file, "key file")) return std::unexpected(*wrong);
    const auto chain = certificates_in(certificate_file);
    if (!chain) return std::unexpected(chain.error());
    const auto key = key_in(key_file);
    if (!key) return std::unexpected(key.error());
    auto* own = chain->front().get();
    if (X509_check_private_key(own, key->get()) != 1) {
        auto why = mismatch_of(files, *chain, key->get());
        ERR_clear_error();
        return std::unexpected(std::move(why));
    }

    auto* native = SSL_CTX_new(TLS_server_method());
    if (native == nullptr) return std::unexpected("OpenSSL has no memory for TLS.");
    const std::shared_ptr<TlsContext> context(new TlsContext(native));
    ERR_clear_error();
    bool good = set_up(native) && SSL_CTX_use_certificate(native, own) == 1 &&
                SSL_CTX_use_PrivateKey(native, key->get()) == 1;
    for (std::size_t i = 1; good && i < chain->size(); ++i)
        good = SSL_CTX_add1_chain_cert(native, (*chain)[i].get()) == 1;
    if (!good) {
        auto why = openssl_text();
        ERR_clear_error();
        return std::unexpected("The certificate " + files.certificate + " or its key " + files.key +
                               " cannot be used: " + why + ".");
    }

    context->expires_at_ = time_text(X509_get0_notAfter(own));
    if (X509_cmp_current_time(X509_get0_notAfter(own)) < 0)
        context->warnings_.push_back("The certificate " + files.certificate + " expired at " +
                                     context->expires_at_ +
                                     ": browsers refuse it. Renew it, then send SIGHUP.");
    if (X509_cmp_current_time(X509_get0_notBefore(own)) > 0)
        context->warnings_.push_back("The certificate " + files.certificate + " is not valid before " +
                                     time_text(X509_get0_notBefore(own)) + ": browsers refuse it.");
    if ((key_file.mode & S_IROTH) != 0)
        context->warnings_.push_back("The key " + files.key +
                                     " can be read by every user of this machine: chmod 600 " + files.key +
                                     ".");
    if ((key_file.mode & (S_IWGRP | S_IWOTH)) != 0)
        context->warnings_.push_back("The key " + files.key +
                                     " can be changed by others than its owner: chmod 600 " + files.key +
                                     ".");
    return context;
}

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

}  // namespace agentdb9::http
