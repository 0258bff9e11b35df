package gateway

// sysSetns is setns(2), which the package syscall has no name for.
const sysSetns = 268
