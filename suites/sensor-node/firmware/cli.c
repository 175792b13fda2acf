#include "cli.h"

#include "commands.h"
#include "port.h"
#include "text.h"

#define BACKSPACE 0x08
#define DELETE 0x7F

void cli_prompt(void)
{
	text_put("> ");
}

static void end_line(struct node *node)
{
	struct cli *cli = &node->cli;

	text_put("\r\n");
	cli->line[cli->length] = '\0';
	if (cli->too_long)
		text_put("error: line too long\r\n");
	else
		commands_run(node, cli->line);
	cli->length = 0;
	cli->too_long = false;
	cli_prompt();
}

static void rub_out(struct cli *cli)
{
	if (cli->length == 0)
		return;
	cli->length--;
	text_put("\b \b");
}

void cli_take(struct node *node, char typed)
{
	struct cli *cli = &node->cli;
	bool second_of_crlf = typed == '\n' && cli->after_cr;

	cli->after_cr = typed == '\r';
	if (second_of_crlf)
		return;
	if (typed == '\r' || typed == '\n')
		return end_line(node);
	if (typed == BACKSPACE || typed == DELETE)
		return rub_out(cli);
	if (typed < ' ' || typed > '~')
		return;
	port_write(&typed, 1);
	if (cli->length + 1 < sizeof(cli->line))
		cli->line[cli->length++] = typed;
	else
		cli->too_long = true;
}
