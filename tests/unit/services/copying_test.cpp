// Files into workspaces and out of them, up to the command that does it.
#include <gmock/gmock.h>

#include "services/copy_scripts.hpp"
#include "services/workspace_files.hpp"
#include "unit/services/monitoring_fixture.hpp"
#include "unit/services/played_executions.hpp"

namespace agentdb9::services {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refused(const std::string& path) {
    try {
        read_place(path, "/home/ada");
    } catch (const base::Error& error) {
        return error.fields().empty() ? error.word() : error.fields().front().field;
    }
    return {};
}

TEST(FilePlaces, AreInTheProjectOrTheHome) {
    const auto place = read_place("src/a.txt", "/home/ada");
    EXPECT_EQ(place.directory, "/workspace/src");
    EXPECT_EQ(place.name, "a.txt");
    EXPECT_FALSE(place.must_be_directory);
    EXPECT_THAT(place.roots, ElementsAre("/workspace", "/home/ada"));
    EXPECT_EQ(read_place("/workspace/./a//b/../c", "/home/ada").directory, "/workspace/a");
    EXPECT_EQ(read_place("~/notes", "/home/ada").directory, "/home/ada");
    EXPECT_EQ(read_place("~", "/home/ada").name, ".");
    EXPECT_EQ(read_place(".", {}).directory, "/workspace");
    EXPECT_EQ(read_place(".", {}).name, ".");
    EXPECT_TRUE(read_place("src/", {}).must_be_directory);
    EXPECT_EQ(read_place("../workspace/a", {}).directory, "/workspace") << "it comes back";
}

TEST(FilePlaces, NowhereElse) {
    for (const std::string path : {"", "..", "../etc", "/etc/passwd", "/", "/workspaces/a", "a/../../etc",
                                   "~/../bob", "/home/adam", "/home"})
        EXPECT_EQ(refused(path), "path") << path;
    EXPECT_EQ(refused(std::string("a\0b", 3)), "path");
    EXPECT_EQ(refused(std::string(5000, 'a')), "path");
    EXPECT_THROW(read_place("~/a", {}), base::Error) << "there is no home";
}

TEST(CopyScripts, NamesOfAnyBytesArePlainLetters) {
    EXPECT_EQ(octal("a\n\xff"), "\\0141\\0012\\0377");
    const auto command = writing_command("/workspace", "-rf; $(reboot)", true, {"/workspace"});
    for (std::size_t i = 4; i < 6; ++i)
        EXPECT_EQ(command[i].find_first_not_of("\\01234567"), std::string::npos);
}

class Pieces final : public base::ByteSource {
  public:
    std::vector<std::string> pieces;
    std::optional<base::Error> failure;  // after them
    Task<std::size_t> read(std::span<char> room) override {
        if (pieces.empty()) {
            if (failure) throw *failure;
            co_return 0;
        }
        const auto got = pieces.front().copy(room.data(), room.size());
        pieces.erase(pieces.begin());
        co_return got;
    }
};

class Copying : public MonitoredWorkspace {
  protected:
    ~Copying() override { run(executions_.stop()); }

    auth::Principal principal() const {
        return {.user = user_,
                .email = {},
                .username = {},
                .session = base::SessionId::generate(),
                .expires_at = base::Time::max()};
    }
    // What came of putting `source`, where the command ends with `code` once it has read all, or at once.
    std::string put(std::shared_ptr<Pieces> source, int code, bool at_once = false, std::string says = {}) {
        std::string word = "still running";
        asio::co_spawn(loop_.executor(), files_.write(principal(), workspace_, "a", source),
                       [&](std::exception_ptr failure, std::uint64_t bytes) {
                           word = "bytes " + std::to_string(bytes);
                           try {
                               if (failure) std::rethrow_exception(failure);
                           } catch (const base::Error& error) {
                               word = error.word();
                           }
                       });
        loop_.run_for(1s);
        auto& process = *stage_.processes.back();
        process.on_signal = [](Process& one, runtime::Execution::Force) { one.exit(143); };
        if (at_once || process.input_ended) {
            if (!says.empty()) process.print(says);
            process.exit(code);
        }
        loop_.run_for(20s);
        return word;
    }

    Stage stage_{loop_.executor()};
    ExecutionService executions_{loop_.executor(), clock_, stage_, finder_, {}};
    WorkspaceFiles files_{executions_, workspaces_, catalogue_, 1000};
};

TEST_F(Copying, WhatComesIsHandedOnAndItsEndIsTold) {
    auto source = std::make_shared<Pieces>();
    source->pieces = {"one ", "two"};
    EXPECT_EQ(put(source, 0), "bytes 7");
    EXPECT_EQ(stage_.processes.back()->input, "one two");
}

TEST_F(Copying, AStreamThatBreaksOffIsNeverEndedSoThatItDoesNotPassForTheWhole) {
    auto source = std::make_shared<Pieces>();
    source->pieces = {"half"};
    source->failure = base::Error(base::ErrorCode::kInvalid, "body_incomplete", "It broke off.");
    EXPECT_EQ(put(source, 0), "body_incomplete");
    EXPECT_FALSE(stage_.processes.back()->input_ended);
    EXPECT_FALSE(stage_.processes.back()->signals.empty()) << "it is ended";
}

TEST_F(Copying, MoreThanIsAllowedIsRefused) {
    auto source = std::make_shared<Pieces>();
    source->pieces = {std::string(600, 'a'), std::string(600, 'a')};
    EXPECT_EQ(put(source, 0), "upload_too_large");
}

TEST_F(Copying, WhatTheCommandSaysIsToldInWords) {
    for (const auto& [code, word] :
         {std::pair{kOutside, "invalid_field"}, std::pair{kNoTar, "no_tar"},
          std::pair{kNoDirectory, "not_a_directory"}, std::pair{kSeveralEntries, "several_entries"},
          std::pair{kInTheWay, "something_in_the_way"}, std::pair{kNotWritable, "not_writable"},
          std::pair{kNotUnpacked, "archive_refused"}}) {
        EXPECT_EQ(put(std::make_shared<Pieces>(), code), word);
    }
    // It ends before it has read all.
    auto source = std::make_shared<Pieces>();
    source->pieces = std::vector<std::string>(3, "a");
    EXPECT_EQ(put(source, kNoTar, true), "no_tar");
}

TEST_F(Copying, AnotherUsersWorkspaceIsNotThere) {
    auto stranger = principal();
    stranger.user = base::UserId::generate();
    EXPECT_EQ(word_of([&] { run(files_.write(stranger, workspace_, "../etc", std::make_shared<Pieces>())); }),
              "workspace_not_found")
        << "and that comes before what is wrong with the path";
    EXPECT_EQ(word_of([&] { run(files_.read(stranger, workspace_, "a")); }), "workspace_not_found");
}

TEST_F(Copying, WhatIsReadIsPassedOnUntilItsEndAndAFailureIsNoEnd) {
    auto reading = run(files_.read(principal(), workspace_, "a"));
    stage_.processes.back()->print("tar");
    EXPECT_EQ(run(reading->piece()), "tar");
    stage_.processes.back()->exit(0);
    EXPECT_EQ(run(reading->piece()), "");
    reading = run(files_.read(principal(), workspace_, "a"));
    stage_.processes.back()->print("half");
    EXPECT_EQ(run(reading->piece()), "half");
    stage_.processes.back()->exit(2);
    EXPECT_EQ(word_of([&] { run(reading->piece()); }), "not_readable");
    reading = run(files_.read(principal(), workspace_, "a"));
    stage_.processes.back()->exit(kPathNotFound);
    EXPECT_EQ(word_of([&] { run(reading->piece()); }), "path_not_found");
}

}  // namespace
}  // namespace agentdb9::services
