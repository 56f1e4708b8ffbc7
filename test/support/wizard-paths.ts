// What a new user answers in a sandbox's shell, by mode: questions as they are on the screen, and the keys.
import {enter, pick, write, type Script} from './wizard.ts';

/** Two hosts of the shell's ssh_config. */
export const agentPath: Script = [
  [/Which mode\?/, enter],
  [/What is the cluster called\?/, enter],
  [/Which hosts are control planes\?/, pick('space')],
  [/Which hosts are workers\?/, pick('space')],
  [/Change anything else\?/, enter],
  [/Trust these hosts/, pick('y')],
  [/Where does sudo's password come from\?/, enter],
  [/Which file holds the password\?/, write('../sudo-password')],
  [/Where is the Kubernetes API reached\?/, enter],
  [/Which version of Kubernetes\?/, enter],
];

/** The current context's management cluster. */
export const controllerPath: Script = [
  [/Which mode\?/, pick('down')],
  [/What is the cluster called\?/, enter],
  [/Change anything else\?/, enter],
  [/Of which ClusterClass is it\?/, enter],
  [/How many control planes\?/, enter],
  [/Which pools of workers\?/, enter],
  [/Which version of Kubernetes\?/, enter],
  [/Set any of the class's variables\?/, pick('space')],
  [/machineSize\?/, pick('down')],
];
