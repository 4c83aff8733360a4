// SPDX-License-Identifier: Apache-2.0
// `zapnic serve`: a ready room server.
//
// Thread: the main thread.
#ifndef ZN_SERVICE_SERVE_H
#define ZN_SERVICE_SERVE_H

// argv[0] is the sub-command. Runs until SIGTERM or SIGINT. The exit status of the process: 0; 1:
// it could not run; 2: wrong settings.
int zn__serve(int argc, char **argv);

#endif
