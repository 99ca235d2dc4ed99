/* The subcommands of `lac`, one file each: cmd_NAME.c.
 *
 * argv[0] is the subcommand's name, argc at least 1. Each returns an exit status of report.h, having printed the
 * reason of any failure to standard error. */
#ifndef LAC_TOOLS_COMMAND_H
#define LAC_TOOLS_COMMAND_H

int lac_cmd_encode(int argc, char **argv);
int lac_cmd_decode(int argc, char **argv);
int lac_cmd_info(int argc, char **argv);
int lac_cmd_verify(int argc, char **argv);
int lac_cmd_tokens(int argc, char **argv);
int lac_cmd_eval(int argc, char **argv);
int lac_cmd_bench(int argc, char **argv);
int lac_cmd_send(int argc, char **argv);
int lac_cmd_receive(int argc, char **argv);
int lac_cmd_netsim(int argc, char **argv);
int lac_cmd_latency(int argc, char **argv);
int lac_cmd_fit(int argc, char **argv);
int lac_cmd_factors(int argc, char **argv);
int lac_cmd_compare(int argc, char **argv);
int lac_cmd_plot(int argc, char **argv);
int lac_cmd_recombine(int argc, char **argv);
int lac_cmd_synth(int argc, char **argv);
int lac_cmd_simulate(int argc, char **argv);

#endif
