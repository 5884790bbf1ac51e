// Volumes' files as the engine gives and takes them, and as they are from inside.
#include <sstream>

#include "archive/tar.hpp"
#include "conformance/docker_fixture.hpp"
#include "support/tar_maker.hpp"

namespace agentdb9::runtime {
namespace {

using test::TarMaker;
using testing::HasSubstr;
using testing::Not;

// A stream that is in memory, given in small pieces.
class Given final : public base::ByteSource {
  public:
    explicit Given(std::string bytes) : bytes_(std::move(bytes)) {}
    Task<std::size_t> read(std::span<char> room) override {
        if (fails_at && at_ >= *fails_at) throw base::conflict("it_ends", "The source has failed.");
        const auto amount = std::min({room.size(), bytes_.size() - at_, std::size_t{10'000}});
        std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), amount, room.begin());
        at_ += amount;
        co_return amount;
    }
    std::optional<std::size_t> fails_at;

  private:
    std::string bytes_;
    std::size_t at_ = 0;
};

// Is cleaned up after while it gives.
class GivenMeanwhile final : public base::ByteSource {
  public:
    GivenMeanwhile(VolumeFiles& files, std::string bytes) : files_(files), given_(std::move(bytes)) {}
    Task<std::size_t> read(std::span<char> room) override {
        co_await files_.remove_leftovers(std::chrono::seconds(-5));
        co_return co_await given_.read(room);
    }

  private:
    VolumeFiles& files_;
    Given given_;
};

class Taken final : public base::ByteSink {
  public:
    Task<> write(std::span<const char> piece) override {
        if (refuses) throw base::conflict("no_room", "The sink takes nothing.");
        bytes.append(piece.data(), piece.size());
        co_return;
    }
    std::string bytes;
    bool refuses = false;
};

// By the engine's archive call alone, and with what is read from the disk where that can be done.
class DockerVolumeFiles : public DockerFixture, public testing::WithParamInterface<bool> {
  protected:
    std::string make_volume() {
        const auto project = base::ProjectId::generate();
        const auto name = model::project_volume_name(project);
        run(world.runtime().ensure_volume(
            {.name = name, .project_id = project, .workspace_id = {}, .user_id = base::UserId::generate()}));
        return name;
    }
    VolumeFiles& files() { return *runtime_; }
    void write(const std::string& volume, const std::string& tar) {
        Given source(tar);
        run(files().write_volume(volume, source));
    }
    std::string read(const std::string& volume, const std::string& path = {}) {
        Taken sink;
        run(files().read_volume(volume, path, sink));
        return sink.bytes;
    }
    template <class T>
    std::string word_of(Task<T> task) {
        try {
            run(std::move(task));
            return {};
        } catch (const base::Error& error) {
            return error.word();
        }
    }
    // Containers of this world that are there to carry files.
    std::size_t helpers() {
        const json::object filters{
            {"label", json::array{json::string("agentdb9.instance=" + world.installation().str()),
                                  "agentdb9.helper"}}};
        return world
            .engine("GET",
                    "/containers/json?all=1&filters=" + docker::percent_encode(json::serialize(filters)))
            .as_array()
            .size();
    }

  private:
    std::unique_ptr<docker::DockerRuntime> runtime_ = world.make_runtime(
        world.installation(), DockerWorld::shared_network(), docker::Reach::kAuto, GetParam());
};

INSTANTIATE_TEST_SUITE_P(, DockerVolumeFiles, testing::Bool(),
                         [](const auto& info) { return info.param ? "Directories" : "Engine"; });

// An archive's lines, whatever their order.
std::vector<std::string> sorted(const std::string& tar) {
    std::vector<std::string> entries;
    std::size_t at = 0;
    archive::TarReader reader(
        [&](std::span<char> room) {
            const auto got = tar.copy(room.data(), room.size(), at);
            at += got;
            return got;
        },
        false, {});
    while (const auto entry = reader.next()) {
        std::ostringstream line;
        line << entry->path << ' ' << to_text(entry->type) << ' ' << entry->size << ' ' << entry->mode << ' '
             << entry->uid << ':' << entry->gid << ' ' << base::format_time(entry->modified_at) << ' '
             << entry->link_target << ' ';
        std::array<char, 100> content{};
        while (const auto got = entry->size > 0 ? reader.read(content) : 0)
            line.write(content.data(), static_cast<std::streamsize>(got));
        entries.push_back(line.str());
    }
    std::ranges::sort(entries);
    return entries;
}

TarMaker tree() {
    TarMaker tar;
    tar.directory("./", 02750).directory("./src/").file("./src/main.c", "int main;");
    tar.symbolic_link("./python", "/usr/bin/python3").symbolic_link("./inside", "/workspace/src");
    tar.hard_link("./src/same.c", "./src/main.c");
    tar.add("./run", "#!", {.mode = 04711, .uid = 1234, .gid = 5678, .modified = 1'600'000'001});
    return tar;
}

TEST_P(DockerVolumeFiles, WhatIsWrittenIsThereFromInside) {
    const auto instance = start(world.runtime());
    const auto volume = instance.volumes.at(0);
    write(volume, tree().whole());
    const auto stat = [&](const std::string& name) {
        return output(instance.id, {"stat", "-c", "%F %a %u %g %h %Y %N", "/workspace" + name});
    };
    EXPECT_THAT(stat(""), HasSubstr("directory 2750 1000 1000 3 1700000000"));
    EXPECT_THAT(stat("/run"), HasSubstr("regular file 4711 1234 5678 1 1600000001"));
    EXPECT_THAT(stat("/src/main.c"), HasSubstr("regular file 644 1000 1000 2 1700000000"));
    EXPECT_THAT(stat("/python"), HasSubstr("symbolic link"));
    EXPECT_THAT(stat("/python"), HasSubstr("/usr/bin/python3"));
    EXPECT_EQ(output(instance.id, {"cat", "/workspace/src/same.c"}), "int main;");
    EXPECT_EQ(helpers(), 0U);
}

TEST_P(DockerVolumeFiles, AReadTreeCanBeWrittenElsewhere) {
    const auto first = make_volume(), second = make_volume();
    write(first, tree().whole());
    const auto tar = read(first);
    EXPECT_TRUE(tar.starts_with("./"));
    EXPECT_THAT(tar, HasSubstr("./src/main.c"));
    write(second, tar);
    // The time of a directory, and all else, comes with it: the two streams are the same.
    EXPECT_EQ(sorted(read(second)), sorted(tar));
    EXPECT_EQ(sorted(tar).size(), 7U);
    EXPECT_EQ(helpers(), 0U);
}

TEST_P(DockerVolumeFiles, ReadsOneDirectoryOrFile) {
    const auto volume = make_volume();
    write(volume, tree().whole());
    for (const auto* path : {"src", "src/", "inside"}) {
        const auto directory = read(volume, path);
        EXPECT_TRUE(directory.starts_with("./")) << path;
        EXPECT_THAT(directory, HasSubstr("./main.c")) << path;
    }
    EXPECT_TRUE(read(volume, "src/main.c").starts_with("main.c"));
    EXPECT_TRUE(read(volume, "python").starts_with("python"));
    EXPECT_THAT(read(volume, "python"), HasSubstr("/usr/bin/python3"));
}

TEST_P(DockerVolumeFiles, SaysWhatIsNotThere) {
    const auto volume = make_volume();
    Taken sink;
    EXPECT_EQ(word_of(files().read_volume(volume, "nothing", sink)), "path_not_found");
    EXPECT_EQ(word_of(files().read_volume(volume, "../etc", sink)), "path_not_found");
    EXPECT_EQ(word_of(files().read_volume(volume, "/etc/passwd", sink)), "path_not_found");
    EXPECT_EQ(word_of(files().read_volume(volume, "a/../../etc", sink)), "path_not_found");
    EXPECT_EQ(sink.bytes, "");
    const auto missing = model::project_volume_name(base::ProjectId::generate());
    EXPECT_EQ(word_of(files().read_volume(missing, "", sink)), "volume_missing");
    Given source(tree().whole());
    EXPECT_EQ(word_of(files().write_volume(missing, source)), "volume_missing");
    EXPECT_FALSE(world.has_volume(missing)) << "an engine makes a volume that is mounted and is not there";
}

TEST_P(DockerVolumeFiles, AnotherInstallationsVolumeIsNotThere) {
    const auto name = model::project_volume_name(base::ProjectId::generate());
    world.make_volume(name, true);
    Taken sink;
    EXPECT_EQ(word_of(files().read_volume(name, "", sink)), "volume_missing");
    Given source(tree().whole());
    EXPECT_EQ(word_of(files().write_volume(name, source)), "volume_missing");
}

TEST_P(DockerVolumeFiles, WhatTheOtherEndThrowsComesBackAndNothingStays) {
    const auto volume = make_volume();
    write(volume, tree().whole());
    Taken sink;
    sink.refuses = true;
    EXPECT_EQ(word_of(files().read_volume(volume, "", sink)), "no_room");
    Given source(TarMaker(tree()).file("./big", std::string(3'000'000, 'x')).whole());
    source.fails_at = 1'000'000;
    EXPECT_EQ(word_of(files().write_volume(volume, source)), "it_ends");
    EXPECT_EQ(helpers(), 0U);
}

TEST_P(DockerVolumeFiles, WhatIsNoArchiveIsRefused) {
    const auto volume = make_volume();
    Given text("this is no archive, but a text of more than one block" + std::string(2000, '!'));
    EXPECT_EQ(word_of(files().write_volume(volume, text)), "archive_refused");
    EXPECT_THAT(read(volume), Not(HasSubstr("text")));
    EXPECT_EQ(helpers(), 0U);
}

TEST_P(DockerVolumeFiles, RemovesWhatADeadServerLeft) {
    const auto volume = make_volume();
    const auto labels = json::object{{"agentdb9.managed", "true"},
                                     {"agentdb9.instance", world.installation().view()},
                                     {"agentdb9.helper", "volume"}};
    world.engine("POST", "/containers/create",
                 json::object{{"Image", world.image()}, {"Cmd", json::array{"x"}}, {"Labels", labels}});
    run(files().remove_leftovers(std::chrono::hours(1)));
    EXPECT_EQ(helpers(), 1U);
    run(files().remove_leftovers(std::chrono::seconds(-5)));
    EXPECT_EQ(helpers(), 0U);
    // One is no instance of any workspace.
    EXPECT_TRUE(run(world.runtime().instances()).empty());
}

TEST_P(DockerVolumeFiles, WhatIsUnderWayIsNoLeftover) {
    const auto volume = make_volume();
    GivenMeanwhile source(files(), TarMaker().directory("./").file("./kept", "kept").whole());
    run(files().write_volume(volume, source));
    EXPECT_THAT(read(volume), HasSubstr("kept"));
    EXPECT_EQ(helpers(), 0U);
}

TEST_P(DockerVolumeFiles, PausesAndResumes) {
    const auto instance = start(world.runtime());
    for (int i = 0; i < 2; ++i)
        run(world.runtime().pause_instance(instance.id));
    EXPECT_EQ(run(world.runtime().instances(instance.workspace_id)).at(0).state,
              model::InstanceState::kPaused);
    run(world.runtime().resume_instance(instance.id));
    EXPECT_EQ(run(world.runtime().instances(instance.workspace_id)).at(0).state,
              model::InstanceState::kRunning);
    run(world.runtime().stop_instance(instance.id, std::chrono::seconds(1)));
    EXPECT_EQ(word_of(world.runtime().pause_instance(instance.id)), "instance_not_running");
    EXPECT_EQ(word_of(world.runtime().pause_instance("0123456789ab")), "instance_not_found");
}

}  // namespace
}  // namespace agentdb9::runtime
