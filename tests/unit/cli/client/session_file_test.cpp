#include "cli/client/session_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>

#include "base/error.hpp"

namespace agentdb9::cli::client {
namespace {

using testing::HasSubstr;
using testing::Not;

class SessionFileTest : public testing::Test {
  protected:
    SessionFileTest() {
        std::string place = testing::TempDir() + "agentdb9-session-XXXXXX";
        directory_ = ::mkdtemp(place.data());
        path_ = directory_ / "config" / "agentdb9" / "client.json";
    }
    ~SessionFileTest() override { std::filesystem::remove_all(directory_); }

    static int mode_of(const std::filesystem::path& path) {
        struct stat facts{};
        EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
        return static_cast<int>(facts.st_mode & 07777);
    }
    static std::string content(const std::filesystem::path& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void write(const std::string& text) {
        std::filesystem::create_directories(path_.parent_path());
        std::ofstream(path_) << text;
        ::chmod(path_.c_str(), 0600);
    }

    std::filesystem::path directory_;
    std::filesystem::path path_;
};

const StoredSession kSession{.url = "https://work.example.org",
                             .ca_file = "/etc/own.pem",
                             .email = "ada@example.org",
                             .api_token = {},
                             .access_token = "access",
                             .refresh_token = "refresh",
                             .access_expires_at = 1'800'000'000};

TEST_F(SessionFileTest, KeepsASessionForItsOwnerAlone) {
    const auto before = ::umask(0);  // whatever the user's is
    SessionFile file(path_);
    EXPECT_EQ(file.load(), std::nullopt);
    file.save(kSession);
    {
        const auto lock = file.lock();
    }
    ::umask(before);
    EXPECT_EQ(file.load(), kSession);
    EXPECT_FALSE(file.was_open());
    EXPECT_EQ(mode_of(path_), 0600);
    EXPECT_EQ(mode_of(path_.string() + ".lock"), 0600);
    EXPECT_EQ(mode_of(path_.parent_path()), 0700);
}

TEST_F(SessionFileTest, KeepsAnApiTokenInsteadOfASession) {
    SessionFile file(path_);
    const StoredSession by_token{.url = "http://127.0.0.1:8000",
                                 .ca_file = {},
                                 .email = {},
                                 .api_token = "adb9_x",
                                 .access_token = {},
                                 .refresh_token = {}};
    file.save(by_token);
    EXPECT_EQ(file.load(), by_token);
    EXPECT_THAT(content(path_), Not(HasSubstr("refreshToken")));
}

TEST_F(SessionFileTest, IsReplacedWholeAndLeavesNothingBeside) {
    SessionFile file(path_);
    file.save(kSession);
    // Whoever has opened it before goes on reading what was there.
    std::ifstream open(path_);
    auto next = kSession;
    next.refresh_token = "the next one";
    file.save(next);
    const std::string old{std::istreambuf_iterator<char>(open), {}};
    EXPECT_THAT(old, HasSubstr("\"refresh\""));
    EXPECT_EQ(file.load(), next);
    const std::filesystem::directory_iterator all(path_.parent_path());
    EXPECT_EQ(std::distance(begin(all), end(all)), 1);
}

TEST_F(SessionFileTest, ThatCannotBeReplacedStaysAsItWas) {
    SessionFile file(path_);
    file.save(kSession);
    std::filesystem::remove(path_);
    std::filesystem::create_directory(path_);  // a rename over a directory fails, whoever asks
    try {
        file.save(kSession);
        FAIL() << "it was saved";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.word(), "session_file_unwritable");
        EXPECT_THAT(error.message(), HasSubstr(path_.string()));
    }
    const std::filesystem::directory_iterator all(path_.parent_path());
    EXPECT_EQ(std::distance(begin(all), end(all)), 1);
}

TEST_F(SessionFileTest, ThatIsBrokenSaysWhichAndWhatToDoAndNothingOfWhatStandsInIt) {
    for (const auto* text : {"", "{", "[]", "null", "{}", R"({"version":1,"url":"http://a"})",
                             R"({"version":2,"url":"http://a","apiToken":"secret"})",
                             R"({"version":1,"url":"","apiToken":"secret"})",
                             R"({"version":1,"url":"http://a","accessToken":"secret"})",
                             R"({"version":"1","url":"http://a","apiToken":"secret"})",
                             R"({"version":1,"url":7,"apiToken":"secret"})"}) {
        write(text);
        try {
            SessionFile(path_).load();
            ADD_FAILURE() << text << " was read";
        } catch (const base::Error& error) {
            EXPECT_EQ(error.word(), "session_file_broken");
            EXPECT_THAT(error.message(), HasSubstr(path_.string()));
            EXPECT_THAT(error.message(), HasSubstr("agentdb9 login"));
            EXPECT_THAT(std::string(error.what()), Not(HasSubstr("secret")));
        }
    }
    write(std::string(100'000, ' '));
    EXPECT_THROW(SessionFile(path_).load(), base::Error);
}

TEST_F(SessionFileTest, ThatOthersCouldReadIsClosedToThemAndTold) {
    SessionFile file(path_);
    file.save(kSession);
    ::chmod(path_.c_str(), 0644);
    EXPECT_EQ(file.load(), kSession);
    EXPECT_TRUE(file.was_open());
    EXPECT_EQ(mode_of(path_), 0600);
    file.load();
    EXPECT_FALSE(file.was_open());
}

TEST_F(SessionFileTest, HasOneOwnerOfItsLockAtATime) {
    SessionFile file(path_);
    SessionFile other(path_);
    {
        const auto lock = file.lock();
        EXPECT_THROW((void)other.lock(std::chrono::milliseconds(0)), base::Error);
        file.save(kSession);  // replacing it does not let go
        EXPECT_THROW((void)other.lock(std::chrono::milliseconds(0)), base::Error);
    }
    EXPECT_TRUE(other.lock(std::chrono::milliseconds(0)));
}

TEST_F(SessionFileTest, IsForgottenOnceAndForgottenAgain) {
    SessionFile file(path_);
    file.remove();
    file.save(kSession);
    file.remove();
    EXPECT_EQ(file.load(), std::nullopt);
    file.remove();
}

}  // namespace
}  // namespace agentdb9::cli::client
