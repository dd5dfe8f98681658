// The first import: it stamps the security policy's nonce on every style element made after it.
import './app/csp';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './styles/base.css';
import './styles/layout.css';
import './styles/parts.css';
import { createRoot } from 'react-dom/client';
import { findSessionKey } from './api/sessionKey';
import { App } from './app/App';

const host = document.getElementById('root');
if (host) void findSessionKey().then(() => createRoot(host).render(<App />));
