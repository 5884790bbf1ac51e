// Keys and certificates that a test makes for itself, as PEM files in a directory that goes with it.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

#include "http/tls.hpp"

struct evp_pkey_st;

namespace agentdb9::test {

class TlsFolder {
  public:
    TlsFolder();
    ~TlsFolder();
    TlsFolder(const TlsFolder&) = delete;
    TlsFolder& operator=(const TlsFolder&) = delete;

    struct Wanted {
        std::string name = "work.example";
        std::chrono::seconds begins = std::chrono::hours(-24);  // from now
        std::chrono::seconds ends = std::chrono::hours(24);
        std::string signed_by;  // NAME of an earlier one; empty: itself
    };
    // Writes NAME.pem and NAME.key.
    http::TlsFiles make(const std::string& file, const Wanted& wanted);
    http::TlsFiles make(const std::string& file) { return make(file, Wanted()); }
    std::string write(const std::string& file, const std::string& text) const;
    std::string read(const std::string& file) const;
    std::string path(const std::string& file) const { return (directory_ / file).string(); }

  private:
    std::filesystem::path directory_;
};

}  // namespace agentdb9::test
