# Adds to a container runtime's default seccomp profile what the broker needs and the default leaves out.
#
#   jq -f tuning/seccomp.jq /usr/share/containers/seccomp.json > vltava-seccomp.json
#   docker run --security-opt seccomp=vltava-seccomp.json ...
#
# The default profile of Podman is the file named above (Debian: golang-github-containers-common); that of Docker is
# profiles/seccomp/default.json of its sources. Everything else stays as strict as the runtime's own.
.syscalls += [
  {
    # The runtime waits for sockets, timers and files through io_uring.
    names: ["io_uring_setup", "io_uring_enter", "io_uring_register"],
    action: "SCMP_ACT_ALLOW"
  },
  {
    # Which pages of a range are in the page cache: profiles older than Linux 6.5 do not know it. Without it the broker probes.
    names: ["cachestat"],
    action: "SCMP_ACT_ALLOW"
  }
]
