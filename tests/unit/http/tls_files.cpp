#include "tls_files.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace agentdb9::test {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void require(bool good, const char* what) {
    if (!good) throw std::runtime_error(what);
}

void set_name(X509_NAME* name, const std::string& text) {
    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                       reinterpret_cast<const unsigned char*>(text.data()), -1, -1, 0) == 1,
            "name");
}

Owned<std::FILE> open(const std::string& path, const char* mode) {
    Owned<std::FILE> file(std::fopen(path.c_str(), mode));
    require(file != nullptr, "fopen");
    return file;
}

}  // namespace

TlsFolder::TlsFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "agentdb9-tls-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "mkdtemp");
    directory_ = name;
}

TlsFolder::~TlsFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

http::TlsFiles TlsFolder::make(const std::string& file, const Wanted& wanted) {
    static long serial = 0;
    const Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const Owned<X509> certificate(X509_new());
    require(key && certificate, "memory");
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), static_cast<long>(wanted.begins.count()));
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), static_cast<long>(wanted.ends.count()));
    X509_set_pubkey(certificate.get(), key.get());
    set_name(X509_get_subject_name(certificate.get()), wanted.name);
    Owned<EVP_PKEY> signer_key;
    Owned<X509> signer;
    if (!wanted.signed_by.empty()) {
        signer_key.reset(
            PEM_read_PrivateKey(open(path(wanted.signed_by + ".key"), "r").get(), nullptr, nullptr, nullptr));
        signer.reset(
            PEM_read_X509(open(path(wanted.signed_by + ".pem"), "r").get(), nullptr, nullptr, nullptr));
    }
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer ? signer.get() : certificate.get()));
    require(X509_sign(certificate.get(), signer_key ? signer_key.get() : key.get(), EVP_sha256()) > 0,
            "sign");
    http::TlsFiles files{path(file + ".pem"), path(file + ".key")};
    require(PEM_write_X509(open(files.certificate, "w").get(), certificate.get()) == 1, "write");
    require(PEM_write_PrivateKey(open(files.key, "w").get(), key.get(), nullptr, nullptr, 0, nullptr,
                                 nullptr) == 1,
            "write");
    ::chmod(files.key.c_str(), S_IRUSR | S_IWUSR);
    return files;
}

std::string TlsFolder::write(const std::string& file, const std::string& text) const {
    std::ofstream(path(file), std::ios::binary) << text;
    return path(file);
}

std::string TlsFolder::read(const std::string& file) const {
    std::stringstream text;
    text << std::ifstream(path(file), std::ios::binary).rdbuf();
    return text.str();
}

}  // namespace agentdb9::test
