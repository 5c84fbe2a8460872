// Made by generate.py from the tools and events of the server: do not edit.

export const EVENTS = [
	{
		"name": "deal.created",
		"description": "A deal was created."
	},
	{
		"name": "deal.stage_changed",
		"description": "A deal entered another stage, in whichever direction."
	},
	{
		"name": "deal.won",
		"description": "A deal was won: it entered the last stage."
	},
	{
		"name": "deal.lost",
		"description": "A deal was lost, in the stage it was in."
	},
	{
		"name": "activity.created",
		"description": "An activity was logged, and its `status` is completed, or scheduled."
	},
	{
		"name": "activity.completed",
		"description": "An activity that had been scheduled was held."
	},
	{
		"name": "contact.created",
		"description": "A contact was created."
	},
	{
		"name": "task.created",
		"description": "A task was created."
	},
	{
		"name": "task.completed",
		"description": "A task was completed."
	}
];

export const STAGES = [
	"sql",
	"opportunity",
	"verbal",
	"signed"
];
