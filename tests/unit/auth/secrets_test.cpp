#include "auth/secrets.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/error.hpp"

namespace agentdb9::auth {
namespace {

namespace fs = std::filesystem;

class SecretsTest : public testing::Test {
  protected:
    SecretsTest() {
        std::string path = (fs::temp_directory_path() / "agentdb9-secrets-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) std::abort();
        directory_ = path;
    }
    ~SecretsTest() override {
        std::error_code ec;
        fs::remove_all(directory_, ec);
    }
    fs::path file() const { return directory_ / "jwt-secret"; }
    void write(const std::string& text, ::mode_t mode) const {
        std::ofstream(file()) << text;
        ::chmod(file().c_str(), mode);
    }
    std::string refusal() const {
        try {
            load_or_make_secret(file());
        } catch (const base::Error& error) {
            return error.word();
        }
        return "";
    }
    fs::path directory_;
};

TEST_F(SecretsTest, MakesOneThatStays) {
    const auto secret = load_or_make_secret(file());
    EXPECT_EQ(secret.size(), 43U);
    EXPECT_EQ(load_or_make_secret(file()), secret);
    EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(SecretsTest, WhatOthersCanReadIsRefused) {
    const std::string secret(40, 'x');
    for (const ::mode_t mode : {0640U, 0604U, 0620U, 0644U, 0777U}) {
        write(secret, mode);
        EXPECT_EQ(refusal(), "secret_readable_by_others") << mode;
    }
    write(secret + "\n", 0400);
    EXPECT_EQ(load_or_make_secret(file()), secret);
}

TEST_F(SecretsTest, TheSentenceSaysWhatToDo) {
    write(std::string(40, 'x'), 0644);
    try {
        load_or_make_secret(file());
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_NE(error.message().find("(mode 0644): run 'chmod 600 "), std::string::npos) << error.message();
    }
}

TEST_F(SecretsTest, ShortOnesAreRefused) {
    write("short", 0600);
    EXPECT_EQ(refusal(), "secret_malformed");
    write("", 0600);
    EXPECT_EQ(refusal(), "secret_malformed");
}

TEST_F(SecretsTest, DirectoriesAndMissingPlacesAreTold) {
    fs::create_directory(file());
    EXPECT_EQ(refusal(), "secret_malformed");
    fs::remove(file());
    fs::remove(directory_);
    EXPECT_EQ(refusal(), "secret_unreadable");
}

}  // namespace
}  // namespace agentdb9::auth
