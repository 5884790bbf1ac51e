// Volumes' files of which each call, and each piece of a stream, is a point at which the server may be killed
// ("read_volume", "read_piece" …). While a piece goes by the engine has what serves the call, and the call's
// end removes it: so the points at pieces are those between. Control executor only.
#pragma once

#include "runtime/volume_files.hpp"
#include "support/kill_points/kill_points.hpp"

namespace agentdb9::testing {

class KillableVolumeFiles final : public runtime::VolumeFiles {
  public:
    KillableVolumeFiles(runtime::VolumeFiles& volumes, KillPoints& points)
        : volumes_(volumes), points_(points) {}

    Task<> read_volume(std::string volume, std::string path, base::ByteSink& sink) override {
        KillPoints::Point point(points_, "read_volume");
        Sink pieces(sink, points_);
        co_await volumes_.read_volume(std::move(volume), std::move(path), pieces);
        point.passed();
    }
    Task<> write_volume(std::string volume, base::ByteSource& source) override {
        KillPoints::Point point(points_, "write_volume");
        Source pieces(source, points_);
        co_await volumes_.write_volume(std::move(volume), pieces);
        point.passed();
    }
    Task<> remove_leftovers(std::chrono::seconds age) override {
        KillPoints::Point point(points_, "remove_leftovers");
        co_await volumes_.remove_leftovers(age);
        point.passed();
    }

    Task<std::vector<runtime::Leftover>> leftovers(std::chrono::seconds age) override {
        return volumes_.leftovers(age);
    }

  private:
    class Sink final : public base::ByteSink {
      public:
        Sink(base::ByteSink& sink, KillPoints& points) : sink_(sink), points_(points) {}
        Task<> write(std::span<const char> bytes) override {
            KillPoints::Point point(points_, "read_piece");
            co_await sink_.write(bytes);
            point.passed();
        }

      private:
        base::ByteSink& sink_;
        KillPoints& points_;
    };

    class Source final : public base::ByteSource {
      public:
        Source(base::ByteSource& source, KillPoints& points) : source_(source), points_(points) {}
        Task<std::size_t> read(std::span<char> room) override {
            KillPoints::Point point(points_, "write_piece");
            const auto size = co_await source_.read(room);
            point.passed();
            co_return size;
        }

      private:
        base::ByteSource& source_;
        KillPoints& points_;
    };

    runtime::VolumeFiles& volumes_;
    KillPoints& points_;
};

}  // namespace agentdb9::testing
