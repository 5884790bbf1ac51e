import { tellProblem } from '@/base/outcomes';
import { proxyTicket } from '@/data/workspaces';

/** Its application in a tab of its own. The tab is opened in the click itself: a browser blocks one that comes later. */
export async function openApplication(workspace: { id: string; name: string }, port?: number) {
  const tab = window.open('about:blank', '_blank');
  if (!tab) {
    tellProblem(`${workspace.name} could not be opened`, new Error('The browser blocked the new tab. Allow this site to open tabs, and try again.'));
    return;
  }
  // An application gets no hold of the page.
  tab.opener = null;
  try {
    tab.location.replace((await proxyTicket(workspace.id, port)).url);
  } catch (problem) {
    tab.close();
    tellProblem(`${workspace.name} could not be opened`, problem);
  }
}
