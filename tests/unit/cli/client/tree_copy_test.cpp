// Files of this machine into a stream and out of one; above all out of one that means harm.
#include "cli/client/tree_copy.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "support/tar_maker.hpp"

namespace agentdb9::cli::client {
namespace {

namespace fs = std::filesystem;
using test::TarMaker;
using testing::ElementsAre;

class TreeCopy : public testing::Test {
  protected:
    TreeCopy() {
        archive::use_utf8_names();
        auto name = (fs::temp_directory_path() / "agentdb9-copy-test-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
        fs::create_directory(root_ / "to");
    }
    ~TreeCopy() override {
        std::error_code ec;
        fs::remove_all(root_, ec);
    }

    void write(const fs::path& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text;
    }
    std::string text(const fs::path& path) {
        std::ifstream in(root_ / path);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    static std::string packed(const std::vector<std::string>& paths, Copied* copied = nullptr) {
        std::string all;
        const auto result =
            pack(paths, [&](std::span<const char> bytes) { all.append(bytes.data(), bytes.size()); });
        if (copied != nullptr) *copied = result;
        return all;
    }
    Copied into(std::string bytes, const std::string& name = "name") {
        std::size_t at = 0;
        archive::TarReader tar(
            [&](std::span<char> room) {
                const auto got = bytes.copy(room.data(), room.size(), at);
                at += got;
                return got;
            },
            false, {});
        return unpack(tar, root_ / "to", name);
    }
    // The word of the refusal; empty when there was none.
    std::string refusal(const std::string& bytes, const std::string& name = "name") {
        try {
            into(bytes, name);
        } catch (const base::Error& error) {
            return error.word();
        }
        return {};
    }
    bool nothing_left_over() {
        for (const auto& each : fs::recursive_directory_iterator(root_))
            if (each.path().filename().string().starts_with(".agentdb9-copy-")) return false;
        return true;
    }

    fs::path root_;
};

TEST_F(TreeCopy, WhatIsPackedComesOutTheSame) {
    write("from/a b/line\nbreak", "one");
    write("from/\xff\xfe", "two");
    fs::create_directory(root_ / "from/empty");
    fs::create_symlink("/etc/passwd", root_ / "from/link");
    fs::permissions(root_ / "from/\xff\xfe", fs::perms(0640));
    ::chmod((root_ / "from/empty").c_str(), 0555);
    const timespec times[2]{{1'577'934'245, 0}, {1'577'934'245, 0}};
    ::utimensat(AT_FDCWD, (root_ / "from/\xff\xfe").c_str(), times, 0);
    Copied copied;
    const auto stream = packed({root_ / "from"}, &copied);
    EXPECT_EQ(copied.files, 3U);
    EXPECT_EQ(copied.bytes, 6U);
    fs::create_directory(root_ / "to/whole");
    std::size_t at = 0;
    archive::TarReader tar(
        [&](std::span<char> room) {
            const auto got = stream.copy(room.data(), room.size(), at);
            at += got;
            return got;
        },
        false, {});
    unpack(tar, root_ / "to", "whole");
    const auto there = root_ / "to/whole/from";
    EXPECT_EQ(text("to/whole/from/a b/line\nbreak"), "one");
    EXPECT_EQ(text("to/whole/from/\xff\xfe"), "two");
    EXPECT_EQ(fs::read_symlink(there / "link"), "/etc/passwd");
    struct stat status{};
    ASSERT_EQ(::stat((there / "\xff\xfe").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
    EXPECT_EQ(status.st_mtim.tv_sec, 1'577'934'245);
    ASSERT_EQ(::stat((there / "empty").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0555U);
    EXPECT_TRUE(nothing_left_over());
}

TEST_F(TreeCopy, ASingleFileIsCalledAsWasAsked) {
    into(TarMaker().file("./theirs", "text").whole(), "mine");
    EXPECT_EQ(text("to/mine"), "text");
    EXPECT_FALSE(fs::exists(root_ / "to/theirs"));
}

TEST_F(TreeCopy, NothingIsWrittenThroughALinkThatComesWithTheStream) {
    fs::create_directory(root_ / "outside");
    const auto out = (root_ / "outside").string();
    EXPECT_NE(refusal(TarMaker()
                          .directory("./")
                          .add("./link", "", {.type = '2', .link = out})
                          .file("./link/file", "harm")
                          .whole()),
              "");
    EXPECT_TRUE(fs::is_empty(root_ / "outside"));
}

TEST_F(TreeCopy, NothingIsWrittenThroughALinkThatLiesThere) {
    fs::create_directory(root_ / "outside");
    write("outside/precious", "mine");
    fs::create_directory(root_ / "to/name");
    fs::create_symlink(root_ / "outside", root_ / "to/name/link");
    EXPECT_EQ(refusal(TarMaker().directory("./").file("./link/precious", "harm").whole()),
              "something_in_the_way");
    EXPECT_EQ(refusal(TarMaker().directory("./").directory("./link/").whole()), "something_in_the_way");
    EXPECT_EQ(text("outside/precious"), "mine");
    // A file's own name is replaced, and not what its link leads to.
    fs::create_symlink(root_ / "outside/precious", root_ / "to/name/file");
    EXPECT_EQ(refusal(TarMaker().directory("./").file("./file", "new").whole()), "");
    EXPECT_EQ(text("outside/precious"), "mine");
    EXPECT_EQ(text("to/name/file"), "new");
}

TEST_F(TreeCopy, PathsThatLeadOutAreRefused) {
    EXPECT_NE(refusal(TarMaker().directory("./").file("./../outside", "harm").whole()), "");
    EXPECT_NE(refusal(TarMaker().directory("./").file("/tmp/agentdb9-harm", "harm").whole()), "");
    EXPECT_NE(
        refusal(TarMaker().directory("./").add("./a", "", {.type = '1', .link = "../../etc/passwd"}).whole()),
        "");
    EXPECT_FALSE(fs::exists(root_ / "outside"));
    EXPECT_FALSE(fs::exists("/tmp/agentdb9-harm"));
}

TEST_F(TreeCopy, NobodyElsesFileGetsRightsOverMine) {
    into(TarMaker().add("./a", "text", {.mode = 06755}).whole(), "a");
    struct stat status{};
    ASSERT_EQ(::stat((root_ / "to/a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0755U);
    EXPECT_EQ(status.st_uid, ::geteuid());
}

TEST_F(TreeCopy, AStreamThatBreaksOffLeavesNoHalfFileUnderItsName) {
    write("to/name/a", "before");
    auto stream = TarMaker().directory("./").file("./a", std::string(5000, 'x')).whole();
    stream.resize(3000);
    EXPECT_NE(refusal(stream), "");
    EXPECT_EQ(text("to/name/a"), "before");
    EXPECT_TRUE(nothing_left_over());
}

TEST_F(TreeCopy, OnlyAFileGoesToStandardOutput) {
    auto bytes = TarMaker().directory("./").whole();
    std::size_t at = 0;
    archive::TarReader tar(
        [&](std::span<char> room) {
            const auto got = bytes.copy(room.data(), room.size(), at);
            at += got;
            return got;
        },
        false, {});
    EXPECT_THROW(unpack_to(tar, -1), base::Error);
}

TEST_F(TreeCopy, ALinkThatIsNamedItselfIsFollowedAndWhatIsNoFileIsLeftOut) {
    write("real", "text");
    fs::create_symlink("real", root_ / "alias");
    fs::create_directory(root_ / "pipes");
    ASSERT_EQ(::mkfifo((root_ / "pipes/pipe").c_str(), 0600), 0);
    Copied copied;
    into(packed({root_ / "alias"}, &copied), "copy");
    EXPECT_EQ(text("to/copy"), "text");
    packed({root_ / "pipes"}, &copied);
    EXPECT_THAT(copied.left_out, ElementsAre((root_ / "pipes/pipe").string()));
    EXPECT_THROW(packed({root_ / "pipes/pipe"}), base::Error) << "nothing would be copied";
}

TEST_F(TreeCopy, ADirectoryThatIsNamedByADotHasAName) {
    EXPECT_EQ(name_of_source("a/b/"), "b");
    EXPECT_EQ(name_of_source((root_ / "to/.").string()), "to");
    EXPECT_EQ(name_of_source((root_ / "to/..").string()), root_.filename().string());
    EXPECT_THROW(name_of_source("/"), base::Error);
}

}  // namespace
}  // namespace agentdb9::cli::client
