// A PostgreSQL server of the test program's own: started at the first use in a temporary directory, reached
// by a unix socket there, stopped and removed at the program's end (also when that comes by a signal).
#pragma once

#include <string>

namespace agentdb9::test {

class PostgresServer {
  public:
    static PostgresServer& instance();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;

    // An empty database; its connection URL.
    std::string make_database();
    void drop_database(const std::string& url);
    // Stops the processes of the server, as a hung machine would, and lets them go on.
    void pause();
    void resume();
    // Ends every connection at once, as a crash does, and starts again.
    void restart();

  private:
    PostgresServer();
    ~PostgresServer();
    void start();
    void stop();
    void signal_all(int number) const;
    std::string url_of(const std::string& database) const;

    std::string directory_;
    int pid_ = -1;
    int next_ = 0;
};

}  // namespace agentdb9::test
